import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { ClusterMetrics } from '../../src/observability/cluster_metrics.ts';

test('an endpoint that joins a cluster starts at 0, and the counts of the others stay', async () => {
  const registry = new Registry();
  const metrics = new ClusterMetrics(registry);
  metrics.handles('app', ['a:80']);
  metrics.retainUsed();
  metrics.startAtZero();
  metrics.healthChanged('app', 'a:80', 'ejected');
  metrics.handles('app', ['a:80', 'b:80']);
  metrics.retainUsed();
  metrics.startAtZero();
  const text = await registry.metrics();
  assert.match(text, /endpoint_ejections_total\{cluster="app",endpoint="a:80"\} 1/);
  assert.match(text, /endpoint_ejections_total\{cluster="app",endpoint="b:80"\} 0/);
});

test('retries of a cluster that a reload removed are not counted', async () => {
  const registry = new Registry();
  const metrics = new ClusterMetrics(registry);
  const gone = metrics.handles('old', ['a:80']);
  metrics.retainUsed();
  metrics.startAtZero();
  metrics.retainUsed();
  metrics.retried(gone, 'success', 2);
  metrics.retryRefused('old', 'budget_empty');
  assert.doesNotMatch(await registry.metrics(), /cluster="old"/);
});
