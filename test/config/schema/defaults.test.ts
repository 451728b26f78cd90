import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CHOICES,
  type ChoiceSetting,
  HEALTHY_STATUSES,
  NUMBERS,
  type NumberSetting,
  RATE_GRACE_MS,
  RETRY_ON,
} from '../../../src/config/schema/defaults.ts';

const numbers: [string, NumberSetting][] = Object.entries(NUMBERS);
const choices: [string, ChoiceSetting][] = Object.entries(CHOICES);

test('every default is within its own bounds', () => {
  for (const [id, { value, min, max, off, unit }] of numbers) {
    assert.ok(min <= max, id);
    if (value === null) assert.ok(off, `${id}: only what may be off is off`);
    else assert.ok(value >= min && value <= max, id);
    assert.ok(unit === 'ratio' || [value ?? 0, min, max].every(Number.isInteger), `${id}: whole ${unit}`);
  }
  for (const [id, { value, options }] of choices) assert.ok(options.includes(value), id);
});

test('every default says what it is for, in whole sentences', () => {
  for (const [id, { why }] of [...numbers, ...choices]) {
    assert.match(why, /^[A-Z].{10,}\.$/, id);
    for (const sentence of why.split(/\. (?=[A-Z])/)) assert.match(sentence, /\S+ \S+/, id);
  }
});

test('the defaults are those that were decided', () => {
  const expected: Readonly<Record<string, number | null>> = {
    'clusters.pool.idle': 4_000,
    'clusters.pool.connections': 128,
    'clusters.pool.queue': 1_024,
    'clusters.pool.queueTimeout': 1_000,
    'clusters.pool.connectTimeout': 3_000,
    'clusters.pool.maxRequests': 1_000,
    'clusters.pool.maxAge': 3_600_000,
    'listeners.timeouts.head': 10_000,
    'listeners.timeouts.bodyIdle': 30_000,
    'listeners.timeouts.keepAliveIdle': 75_000,
    'listeners.timeouts.request': 60_000,
    'routes.timeouts.responseHead': 30_000,
    'routes.timeouts.responseIdle': 60_000,
    'routes.timeouts.tunnelIdle': 600_000,
    'listeners.limits.headBytes': 32_768,
    'listeners.limits.headerCount': 100,
    'listeners.limits.uriBytes': 8_192,
    'listeners.limits.bodyBytes': 104_857_600,
    'listeners.limits.connections': 10_000,
    'listeners.limits.connectionsPerIp': 256,
    'listeners.limits.tunnelsPerIp': 256,
    'listeners.limits.minUploadRate': 240,
    'listeners.limits.minDownloadRate': 240,
    'listeners.limits.requestsPerConnection': 10_000,
    'listeners.http2.maxConcurrentStreams': 128,
    'process.connections': 20_000,
    'process.bufferedBytes': 268_435_456,
    'process.drain.delay': 0,
    'process.drain.timeout': 30_000,
    'process.reload.history': 5,
    'routes.retries.attempts': 2,
    'routes.retries.perTry': null,
    'routes.retries.backoff.base': 25,
    'routes.retries.backoff.max': 250,
    'routes.retries.replayBytes': 65_536,
    'clusters.retryBudget.ratio': 0.2,
    'clusters.retryBudget.minPerSecond': 10,
    'clusters.health.active.interval': 5_000,
    'clusters.health.active.timeout': 2_000,
    'clusters.health.active.healthyAfter': 2,
    'clusters.health.active.unhealthyAfter': 3,
    'clusters.health.passive.consecutiveFailures': 5,
    'clusters.health.passive.ejectFor': 30_000,
    'clusters.health.passive.maxEjected': 0.5,
  };
  const actual: Readonly<Record<string, NumberSetting>> = NUMBERS;
  for (const [id, value] of Object.entries(expected)) assert.equal(actual[id]?.value, value, id);
  assert.equal(RATE_GRACE_MS, 30_000);
  assert.deepEqual(RETRY_ON, ['connect', 'reset']);
  assert.deepEqual(HEALTHY_STATUSES, { min: 200, max: 399 });
});

test('timeouts inside each other fit by default', () => {
  const ms = (id: keyof typeof NUMBERS): number => NUMBERS[id].value ?? Number.POSITIVE_INFINITY;
  assert.ok(ms('routes.timeouts.responseHead') <= ms('listeners.timeouts.request'));
  assert.ok(ms('clusters.pool.connectTimeout') <= ms('listeners.timeouts.request'));
  assert.ok(ms('clusters.health.active.timeout') <= ms('clusters.health.active.interval'));
  assert.ok(ms('routes.retries.backoff.base') <= ms('routes.retries.backoff.max'));
});
