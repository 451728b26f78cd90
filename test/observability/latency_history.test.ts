import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSlow, LatencyHistory, type LatencySummary } from '../../src/observability/latency_history.ts';

const MINUTE_MS = 60_000;

/** `count` requests, spread over the minute. */
function fill(history: LatencyHistory, minute: number, ms: number, count = 30): void {
  for (let at = 0; at < count; at++) history.record(ms, minute * MINUTE_MS + (at * MINUTE_MS) / count);
}

function near(found: number | null, wanted: number): void {
  assert.ok(Math.abs((found ?? 0) / wanted - 1) < 0.11, `${found} for ${wanted}`);
}

test('without a request nothing is known, and the p95 forgets what is older than a minute', () => {
  const history = new LatencyHistory();
  assert.deepEqual(history.summary(5), { requests: 0, p95Ms: null, usualMs: null });
  fill(history, 0, 50);
  near(history.summary(MINUTE_MS - 1).p95Ms, 50);
  fill(history, 1, 300);
  const { requests, p95Ms } = history.summary(2 * MINUTE_MS - 1);
  assert.equal(requests, 30);
  near(p95Ms, 300);
  assert.equal(history.summary(4 * MINUTE_MS).requests, 0);
});

test('what is usual is known after five minutes with at least twenty requests each', () => {
  const history = new LatencyHistory();
  for (let minute = 0; minute < 4; minute++) fill(history, minute, 50);
  fill(history, 4, 50, 19);
  assert.equal(history.summary(5 * MINUTE_MS).usualMs, null, '19 requests are too few');
  fill(history, 5, 50, 20);
  near(history.summary(6 * MINUTE_MS).usualMs, 50);
});

test('a minute whose requests all came at its beginning has none of the minute before', () => {
  const history = new LatencyHistory();
  for (let minute = 0; minute < 4; minute++) fill(history, minute, 50);
  for (let count = 0; count < 19; count++) history.record(50, 4 * MINUTE_MS + 1_000);
  assert.equal(history.summary(5 * MINUTE_MS).usualMs, null, 'the fifth minute had 19 requests');
});

test('slow minutes do not become the usual ones, until they have lasted for an hour', () => {
  const history = new LatencyHistory();
  for (let minute = 0; minute < 10; minute++) fill(history, minute, 50);
  for (let minute = 10; minute < 60; minute++) {
    fill(history, minute, 400);
    const known = history.summary((minute + 1) * MINUTE_MS - 1);
    near(known.usualMs, 50);
    assert.ok(isSlow(known, known.usualMs), `in minute ${minute}`);
  }
  for (let minute = 60; minute < 90; minute++) fill(history, minute, 400);
  const known = history.summary(90 * MINUTE_MS - 1);
  near(known.usualMs, 400);
  assert.equal(isSlow(known, known.usualMs), false);
});

test('an endpoint with one slow request in fifteen is as usual: what is usual covers three minutes in four', () => {
  const history = new LatencyHistory();
  for (let minute = 0; minute < 20; minute++) {
    fill(history, minute, 20, 28);
    if (minute % 3 === 0) for (let at = 0; at < 2; at++) history.record(500, minute * MINUTE_MS + 59_000);
  }
  near(history.summary(20 * MINUTE_MS).usualMs, 500);
});

test('an endpoint that has rested for an hour has nothing usual', () => {
  const history = new LatencyHistory();
  for (let minute = 0; minute < 10; minute++) fill(history, minute, 50);
  near(history.summary(30 * MINUTE_MS).usualMs, 50);
  assert.equal(history.summary(70 * MINUTE_MS).usualMs, null);
});

test('slow is three times as long as expected, at least 100 ms, of at least 20 requests', () => {
  const known = (requests: number, p95Ms: number | null): LatencySummary => ({
    requests,
    p95Ms,
    usualMs: null,
  });
  assert.equal(isSlow(known(20, 300), 100), true);
  assert.equal(isSlow(known(20, 299), 100), false);
  assert.equal(isSlow(known(19, 300), 100), false);
  assert.equal(isSlow(known(20, 100), 1), true);
  assert.equal(isSlow(known(20, 99), 1), false);
  assert.equal(isSlow(known(20, 300), null), false);
  assert.equal(isSlow(known(20, null), 100), false);
});
