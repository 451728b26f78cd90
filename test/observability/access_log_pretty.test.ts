// A request for people: one line that says what became of it, and that nobody else can write in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prettyFormat } from '../../src/observability/access_log_pretty.ts';
import type { RequestRecord } from '../../src/observability/events.ts';
import { painter } from '../../src/observability/terminal.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { attemptRecord, requestRecord } from './records.ts';

const plain = prettyFormat('iso', painter(false));
const TIME = '1970-01-01T00:00:00.000Z';

function lineOf(change: Partial<RequestRecord>, path = '/a?b'): string {
  return plain(requestRecord(change), path, 0);
}

test('time, status, duration, method, host and path, backend', () => {
  assert.equal(lineOf({}), `${TIME} 200   12 ms GET   a.test/a?b → 10.0.0.2:80\n`);
  assert.equal(
    lineOf({ attempts: [], cluster: null, status: 308, route: 'moved' }),
    `${TIME} 308   12 ms GET   a.test/a?b by route moved\n`,
  );
  assert.match(
    lineOf({ method: '', host: '', status: 400, attempts: [], route: null }, ''),
    / 12 ms {7}-\n$/,
  );
});

test('a failure has its reason with what is known about it, and the id to ask for', () => {
  const timeout = { name: 'responseHead', ms: 1_000, origin: 'edge.yaml:17:31' };
  const failed = attemptRecord({ reason: 'response_head_timeout', status: null });
  assert.match(
    lineOf({
      status: 504,
      reason: 'response_head_timeout',
      timeout,
      attempts: [failed],
      retryRefused: 'not_idempotent',
    }),
    / 504 .* → 10\.0\.0\.2:80 response_head_timeout \(responseHead 1\.00 s, edge\.yaml:17:31, no retry: not_idempotent\) id 01a1fb72-\S+\n$/,
  );
  const failure = { kind: 'rate_limited', limiter: 'perIp', retryAfterMs: 5 } as const;
  assert.match(
    lineOf({ status: 429, reason: 'rate_limited', failure, attempts: [] }),
    / rate_limited \(limit perIp\) id /,
  );
  assert.match(lineOf({ status: 503 }), / id \S+\n$/, "a backend's own error");
  assert.doesNotMatch(lineOf({ status: 404 }), / id /, "a backend's own 404");
  assert.match(lineOf({ grpcStatus: 14 }), / grpc-status 14\n$/);
});

test('each attempt is shown with why it failed; repeats and more than a few are counted', () => {
  const refused = (endpoint: string) => attemptRecord({ endpoint, reason: 'connect_refused', status: null });
  const ok = attemptRecord({ endpoint: 'd:1' });
  assert.match(lineOf({ attempts: [refused('a:1'), ok] }), / → a:1 connect_refused → d:1\n$/);
  assert.match(
    lineOf({
      status: 502,
      reason: 'connect_refused',
      retryRefused: 'attempts_used_up',
      attempts: [refused('a:1'), refused('a:1'), refused('a:1')],
    }),
    / → a:1 ×3 connect_refused id /,
  );
  assert.match(
    lineOf({ attempts: [refused('a:1'), refused('b:1'), refused('c:1'), ok] }),
    / … 1 earlier → b:1 connect_refused → c:1 connect_refused → d:1\n$/,
  );
});

test('durations have a unit that fits', () => {
  for (const [ms, text] of [
    [0.26, ' 0.3 ms'],
    [9.94, ' 9.9 ms'],
    [42.4, '  42 ms'],
    [999.4, ' 999 ms'],
    [1_250, ' 1.25 s'],
    [180_000, '3.0 min'],
  ] as const)
    assert.ok(lineOf({ startedAtMs: 0, endedAtMs: ms }).includes(` 200 ${text} GET`), text);
});

test('the status has its colour', () => {
  const colored = prettyFormat('iso', painter(true));
  const codeOf = (status: number) =>
    /\x1b\[(\d\d)m\d{3}\x1b/.exec(colored(requestRecord({ status }), '/', 0))?.[1];
  assert.deepEqual([101, 200, 304, 404, 499, 502].map(codeOf), ['36', '32', '36', '33', '33', '31']);
});

test('a long path is cut', () => {
  const line = lineOf({}, `/${'a'.repeat(100_000)}`);
  assert.ok(line.length < 250, String(line.length));
  assert.match(line, /aaa… → 10\.0\.0\.2:80\n$/);
});

test('whatever a stranger writes, it is one line of printable characters', () => {
  const seed = 7;
  const random = seededRandom(seed);
  const detail = (text: string) => ({ kind: 'bad_request', detail: text }) as const;
  for (let round = 0; round < 3_000; round++) {
    const text = String.fromCharCode(...Array.from({ length: 12 }, () => Math.floor(random.unit() * 9_000)));
    const line = lineOf(
      {
        host: text,
        method: text,
        status: 400,
        reason: 'bad_request',
        failure: detail(text),
        requestId: text,
      },
      `/${text}`,
    );
    assert.match(line, /^[\x20-\x7e…→]+\n$/, `seed ${seed}, round ${round}`);
  }
});
