// The last minute in figures that a person can trust.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrafficStats } from '../../src/observability/traffic_stats.ts';

test('before the first request there is nothing', () => {
  const stats = new TrafficStats();
  assert.deepEqual(stats.summary(1_000), {
    requests: 0,
    perSecond: 0,
    failureShare: 0,
    retried: 0,
    p50Ms: null,
    p95Ms: null,
    p99Ms: null,
  });
});

test('the rate is that of the last whole seconds, the share that of the minute', () => {
  const stats = new TrafficStats();
  for (let ms = 0; ms < 20_000; ms += 10) stats.record(1, ms % 100 === 0, ms);
  const { perSecond, failureShare } = stats.summary(20_050);
  assert.deepEqual([perSecond, Math.round(failureShare * 100)], [100, 10]);
  assert.equal(stats.summary(25_500).perSecond, 50, 'half of the ten seconds are silent');
  assert.equal(stats.summary(85_000).perSecond, 0);
});

test('percentiles are right within ten percent, and forget what is older than a minute', () => {
  const stats = new TrafficStats();
  for (let count = 1; count <= 1_000; count++) stats.record(count, false, 5_000);
  const { p50Ms, p95Ms, p99Ms } = stats.summary(5_500);
  for (const [found, wanted] of [
    [p50Ms, 500],
    [p95Ms, 950],
    [p99Ms, 990],
  ] as const)
    assert.ok(Math.abs((found ?? 0) / wanted - 1) < 0.11, `${found} for ${wanted}`);
  stats.record(2, false, 70_000);
  assert.ok((stats.summary(70_001).p99Ms ?? 0) < 3);
});

test('several together have the sum of their requests and the percentiles of all', () => {
  const [fast, slow] = [new TrafficStats(), new TrafficStats()];
  for (let count = 0; count < 60; count++) fast.record(10, false, 5_000);
  for (let count = 0; count < 40; count++) slow.record(1_000, true, 5_000, true);
  const { requests, failureShare, retried, p50Ms, p95Ms } = TrafficStats.summaryOf(
    [fast, slow, new TrafficStats()],
    5_500,
  );
  assert.deepEqual([requests, failureShare, retried], [100, 0.4, 40]);
  assert.ok((p50Ms ?? 0) < 12 && (p95Ms ?? 0) > 900);
});

test('nothing is too short or too long for it', () => {
  const stats = new TrafficStats();
  for (const ms of [0, -1, 1e9, Number.MAX_SAFE_INTEGER]) stats.record(ms, false, 0);
  assert.ok((stats.summary(1).p99Ms ?? 0) > 30_000);
});

test('what was tried again is counted for a minute', () => {
  const stats = new TrafficStats();
  stats.record(1, true, 1_000, true);
  stats.record(1, false, 1_000);
  assert.equal(stats.summary(30_000).retried, 1);
  stats.record(1, false, 70_000);
  assert.equal(stats.summary(70_000).retried, 0);
});
