import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BYTE_RATE_PATTERN,
  DURATION_PATTERN,
  formatByteRate,
  formatDuration,
  formatSize,
  parseByteRate,
  parseDuration,
  parseRate,
  parseSize,
  RATE_PATTERN,
  SIZE_PATTERN,
} from '../../src/config/units.ts';
import { seededRandom } from '../support/seeded_random.ts';

test('durations and sizes mean what they say', () => {
  const durations = {
    '250ms': 250,
    '30s': 30_000,
    '5m': 300_000,
    '1h': 3_600_000,
    '1.5s': 1_500,
    '1.1s': 1_100,
    '0s': 0,
  };
  for (const [text, ms] of Object.entries(durations)) assert.equal(parseDuration(text), ms, text);
  const sizes = {
    '1B': 1,
    '16KiB': 16_384,
    '10MiB': 10_485_760,
    '1GiB': 1_073_741_824,
    '1.5KiB': 1_536,
    '0B': 0,
  };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseSize(text), bytes, text);
});

test('a fraction that a computer cannot hold is still a whole number of milliseconds', () => {
  assert.equal(parseDuration('1.005s'), 1_005);
  assert.equal(parseDuration('0.035s'), 35);
});

test('a text that is not a duration or size is refused with an example', () => {
  for (const text of [
    '',
    '5',
    's',
    '-1s',
    '+1s',
    '1 s',
    '1S',
    '1d',
    '1h30m',
    '1e3s',
    '.5s',
    '0.5ms',
    '١s',
    ' 1s',
    '1s\n',
    `${'9'.repeat(16)}s`,
  ])
    assert.match(
      String(parseDuration(text)),
      /is not a duration; write it like 250ms, 30s/,
      JSON.stringify(text),
    );
  for (const text of ['', '5', '1KB', '1kib', '1K', '0.3B', '-1B', '1TiB'])
    assert.match(String(parseSize(text)), /is not a size; write it like 512B, 16KiB/, JSON.stringify(text));
});

test('a rate keeps its count and its period', () => {
  assert.deepEqual(parseRate('100/s'), { count: 100, periodMs: 1_000 });
  assert.deepEqual(parseRate('5000/m'), { count: 5_000, periodMs: 60_000 });
  assert.deepEqual(parseRate('1/h'), { count: 1, periodMs: 3_600_000 });
  for (const text of ['100', '/s', '1/d', '1.5/s', '-1/s', '1/s ', '1000000000/s'])
    assert.match(String(parseRate(text)), /is not a rate/, text);
  assert.equal(parseRate('10r/s'), '"10r/s" is not a rate; write 10/s', 'as nginx has it');
  assert.match(String(parseRate('0/s')), /would refuse every request/);
});

test('a speed is bytes per second', () => {
  assert.deepEqual(['240B/s', '1.5KiB/s', '2MiB/s'].map(parseByteRate), [240, 1_536, 2_097_152]);
  for (const text of ['240', '240B', '240/s', '1KB/s', '240B/m', '/s', '0.3B/s'])
    assert.match(String(parseByteRate(text)), /is not a speed; write it like 240B\/s, 10KiB\/s/, text);
});

test('a formatted number can be parsed again, for any number', () => {
  const random = seededRandom(7);
  for (let round = 0; round < 5_000; round++) {
    const value = Math.floor(random.unit() * 10 ** (1 + Math.floor(random.unit() * 12)));
    const duration = formatDuration(value);
    assert.equal(parseDuration(duration), value, duration);
    assert.match(duration, new RegExp(DURATION_PATTERN));
    const size = formatSize(value);
    assert.equal(parseSize(size), value, size);
    assert.match(size, new RegExp(SIZE_PATTERN));
    const speed = formatByteRate(value);
    assert.equal(parseByteRate(speed), value, speed);
    assert.match(speed, new RegExp(BYTE_RATE_PATTERN));
  }
});

test('what an editor accepts by the pattern, the parser accepts', () => {
  const random = seededRandom(8);
  const pick = (items: readonly string[]): string => items[Math.floor(random.unit() * items.length)] ?? '';
  for (let round = 0; round < 2_000; round++) {
    const text = Array.from({ length: 1 + Math.floor(random.unit() * 4) }, () =>
      pick(['1', '0', '5', '/', 's', 'm', 'h', 'B', 'KiB']),
    ).join('');
    assert.equal(new RegExp(RATE_PATTERN).test(text), typeof parseRate(text) !== 'string', text);
    assert.equal(new RegExp(SIZE_PATTERN).test(text), typeof parseSize(text) !== 'string', text);
    assert.equal(new RegExp(BYTE_RATE_PATTERN).test(text), typeof parseByteRate(text) !== 'string', text);
  }
});

test('numbers are shown in the largest unit that is whole', () => {
  assert.equal(formatDuration(0), '0s');
  assert.equal(formatDuration(90_000), '90s');
  assert.equal(formatDuration(120_000), '2m');
  assert.equal(formatSize(0), '0B');
  assert.equal(formatSize(65_535), '65535B');
  assert.equal(formatSize(65_536), '64KiB');
});
