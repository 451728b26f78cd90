import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { StoreMetrics } from '../../src/observability/store_metrics.ts';

test('answers and failures of a store are counted while a plan has it, and its series are removed with it', async () => {
  const registry = new Registry();
  const metrics = new StoreMetrics(registry, ['timeout', 'busy']);
  const kept = metrics.handles('kept');
  const gone = metrics.handles('gone');
  metrics.retainUsed();
  for (const store of [kept, gone]) {
    store.answered(2);
    store.failed('timeout');
  }
  const before = await registry.metrics();
  assert.match(before, /fairlead_limit_store_seconds_bucket\{le="0.0025",store="gone"\} 1/);
  assert.match(before, /fairlead_limit_store_seconds_bucket\{le="0.001",store="gone"\} 0/);
  assert.match(before, /fairlead_limit_store_errors_total\{store="gone",cause="timeout"\} 1/);
  metrics.handles('kept');
  metrics.retainUsed();
  gone.answered(1);
  gone.failed('busy');
  const after = await registry.metrics();
  assert.doesNotMatch(after, /gone/);
  assert.match(after, /fairlead_limit_store_seconds_count\{store="kept"\} 1/);
});
