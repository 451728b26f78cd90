import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { ListenerMetrics } from '../../src/observability/listener_metrics.ts';

test('an event of a listener that a reload removed does not bring its series back', async () => {
  const registry = new Registry();
  const metrics = new ListenerMetrics(registry);
  metrics.add('public');
  metrics.add('old');
  metrics.count('refused', 'old', 'clientIp', 3);
  assert.match(await registry.metrics(), /connections_refused_total\{listener="old",cause="clientIp"\} 3/);
  metrics.retain(new Set(['public']));
  metrics.count('refused', 'old', 'clientIp');
  const text = await registry.metrics();
  assert.doesNotMatch(text, /"old"/);
  assert.match(text, /tls_refused_total\{listener="public",cause="certificate"\} 0/);
});

test('a listener that comes back counts from 0', async () => {
  const registry = new Registry();
  const metrics = new ListenerMetrics(registry);
  metrics.add('public');
  metrics.count('cut', 'public', 'flood');
  metrics.retain(new Set());
  metrics.add('public');
  assert.match(await registry.metrics(), /connections_cut_total\{listener="public",cause="flood"\} 0/);
});
