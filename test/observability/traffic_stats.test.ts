// The last minute in figures that a person can trust.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrafficStats } from '../../src/observability/traffic_stats.ts';

test('before the first request there is nothing', () => {
  const figures = new TrafficStats();
  assert.deepEqual(figures.summary(1_000), {
    perSecond: 0,
    failureShare: 0,
    retried: 0,
    p50Ms: null,
    p95Ms: null,
    p99Ms: null,
  });
});

test('the rate is that of the last whole seconds, the share that of the minute', () => {
  const figures = new TrafficStats();
  for (let ms = 0; ms < 20_000; ms += 10) figures.record(1, ms % 100 === 0, ms);
  const { perSecond, failureShare } = figures.summary(20_050);
  assert.deepEqual([perSecond, Math.round(failureShare * 100)], [100, 10]);
  assert.equal(figures.summary(25_500).perSecond, 50, 'half of the ten seconds are silent');
  assert.equal(figures.summary(85_000).perSecond, 0);
});

test('percentiles are right within ten percent, and forget what is older than a minute', () => {
  const figures = new TrafficStats();
  for (let count = 1; count <= 1_000; count++) figures.record(count, false, 5_000);
  const { p50Ms, p95Ms, p99Ms } = figures.summary(5_500);
  for (const [found, wanted] of [
    [p50Ms, 500],
    [p95Ms, 950],
    [p99Ms, 990],
  ] as const)
    assert.ok(Math.abs((found ?? 0) / wanted - 1) < 0.11, `${found} for ${wanted}`);
  figures.record(2, false, 70_000);
  assert.ok((figures.summary(70_001).p99Ms ?? 0) < 3);
});

test('nothing is too short or too long for it', () => {
  const figures = new TrafficStats();
  for (const ms of [0, -1, 1e9, Number.MAX_SAFE_INTEGER]) figures.record(ms, false, 0);
  assert.ok((figures.summary(1).p99Ms ?? 0) > 30_000);
});

test('what was tried again is counted for a minute', () => {
  const figures = new TrafficStats();
  figures.record(1, true, 1_000, true);
  figures.record(1, false, 1_000);
  assert.equal(figures.summary(30_000).retried, 1);
  figures.record(1, false, 70_000);
  assert.equal(figures.summary(70_000).retried, 0);
});
