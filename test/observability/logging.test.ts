import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, type LoggingSettings } from '../../src/observability/logging.ts';

function linesAt(level: LoggingSettings['level']): string[] {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line), reopen() {}, flush: async () => {} };
  const settings: LoggingSettings = {
    level,
    file: null,
    access: { enabled: true, sample: 1, redactQuery: [], format: 'json' },
    explainFrom: [],
  };
  const logger = createLogger(settings, destination);
  logger.debug({ event: 'debug' });
  logger.info({ event: 'info' });
  logger.error({ event: 'error', detail: 'two\nlines \u009b31m' });
  return lines;
}

test('an event is one JSON line with level, time and event, and no more of this machine', () => {
  const [line] = linesAt('error');
  assert(line !== undefined);
  assert.equal(line.indexOf('\n'), line.length - 1);
  assert.ok(line.includes('\\u009b31m'), 'and no command to a terminal');
  assert.deepEqual(Object.keys(JSON.parse(line)), ['level', 'time', 'event', 'detail']);
});

test('nothing below the level is written', () => {
  assert.equal(linesAt('debug').length, 3);
  assert.equal(linesAt('info').length, 2);
  assert.equal(linesAt('error').length, 1);
  assert.equal(linesAt('silent').length, 0);
});
