import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessLine, accessLineWithIsoTime, overheadMs, redact } from '../../src/observability/access_log.ts';
import type { RequestRecord } from '../../src/observability/events.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { attemptRecord, requestRecord } from './records.ts';

/** A first attempt that was refused, and a second one on a reused connection. */
function record(change: Partial<RequestRecord> = {}): RequestRecord {
  const refused = attemptRecord({
    startedAtMs: 110,
    connectMs: 3,
    firstByteMs: null,
    endedAtMs: 120,
    status: null,
    reason: 'connect_refused',
  });
  const answered = attemptRecord({
    endpoint: '10.0.0.3:80',
    startedAtMs: 130,
    connectMs: 0,
    firstByteMs: 8.123,
    endedAtMs: 150,
    reused: true,
  });
  return requestRecord({ attempts: [refused, answered], queueMs: 4, endedAtMs: 160, ...change });
}

function lineOf(one: RequestRecord, wallMs: number): string {
  return accessLine(one, one.path, wallMs);
}

test('a line holds every field of the contract, with each attempt', () => {
  const line = JSON.parse(lineOf(record(), 1_700_000_000_000));
  assert.deepEqual(Object.keys(line).sort(), [
    'attempts',
    'bytesIn',
    'bytesOut',
    'clientIp',
    'cluster',
    'host',
    'level',
    'listener',
    'method',
    'path',
    'peerIp',
    'plan',
    'protocol',
    'reason',
    'requestId',
    'route',
    'status',
    'time',
    'timing',
    'tls',
    'traceId',
  ]);
  assert.deepEqual(line.attempts, [
    { endpoint: '10.0.0.2:80', ms: 10, status: null, reason: 'connect_refused', reused: false },
    { endpoint: '10.0.0.3:80', ms: 20, status: 200, reason: null, reused: true },
  ]);
  assert.deepEqual(line.timing, { queue: 4, connect: 0, firstByte: 8.12, total: 60, overhead: 26 });
});

test('the subject of a client certificate is told where there is one, and cannot break the line', () => {
  const line = JSON.parse(lineOf(record({ clientCertificate: 'CN=a","x":"b\\,c' }), 0));
  assert.equal(line.clientCertificate, 'CN=a","x":"b\\,c');
});

test('the overhead is what neither attempts nor the queue explain', () => {
  assert.equal(overheadMs(record()), 60 - 4 - 10 - 20);
});

test('an attempt that the client did not wait for lasted until the client left', () => {
  const [, second] = record().attempts;
  assert(second !== undefined);
  const unfinished = record({ attempts: [{ ...second, endedAtMs: null, firstByteMs: null }], queueMs: 0 });
  const line = JSON.parse(lineOf(unfinished, 0));
  assert.equal(line.attempts[0].ms, 30, 'from 130 to the end of the request at 160');
  assert.equal(line.timing.overhead, 30);
});

test('a response that is still read during the next attempt causes no negative overhead', () => {
  assert.equal(overheadMs(record({ queueMs: 100 })), 0);
});

test('a failure has the level of its row in the table', () => {
  assert.equal(JSON.parse(lineOf(record({ reason: 'connect_refused' }), 0)).level, 40);
  assert.equal(JSON.parse(lineOf(record({ reason: 'no_route' }), 0)).level, 30);
});

test('whatever a stranger writes, the line is one line of JSON and says the same', () => {
  const seed = 99;
  const random = seededRandom(seed);
  for (let round = 0; round < 5_000; round++) {
    const text = String.fromCharCode(...Array.from({ length: 12 }, () => Math.floor(random.unit() * 300)));
    const line = lineOf(record({ path: `/${text}`, host: text, method: text }), 0);
    assert.equal(line.indexOf('\n'), line.length - 1, `seed ${seed}, round ${round}`);
    assert.equal(JSON.parse(line).host, text);
  }
});

test('secrets in a query are masked, however their name is written', () => {
  const names = new Set(['token']);
  assert.equal(redact('/a?x=1&token=abc&y', names), '/a?x=1&token=***&y');
  assert.equal(redact('/a?%74oken=abc', names), '/a?%74oken=***');
  assert.equal(redact('/a?%zz=1', names), '/a?%zz=1');
  assert.equal(redact('/token=1', names), '/token=1');
});

test('control characters of a stranger are data to a program and nothing to a terminal', () => {
  const path = '/\u009b31m\u007f';
  const line = accessLine(record({ path }), path, 0);
  assert.ok(line.includes('"/\\u009b31m\\u007f"'), line);
  assert.equal(JSON.parse(`{${line.slice(1)}`).path, path);
});

test('the time is a number, or ISO 8601 where the settings say so; nothing else differs', () => {
  const one = record();
  const [epoch, iso] = [accessLine, accessLineWithIsoTime].map(format =>
    JSON.parse(format(one, one.path, 5)),
  );
  assert.deepEqual([epoch.time, iso.time], [5, '1970-01-01T00:00:00.005Z']);
  assert.deepEqual({ ...iso, time: 5 }, epoch);
});
