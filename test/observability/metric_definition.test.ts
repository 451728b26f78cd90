import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry, register } from 'prom-client';
import {
  defineCounter,
  defineGauge,
  defineHistogram,
  defineReadCounter,
  defineReadGauge,
} from '../../src/observability/metric_definition.ts';

test('every metric has the prefix, and none is in the global registry', () => {
  const registry = new Registry();
  defineCounter(registry, 'a_total', 'a', []);
  defineGauge(registry, 'b', 'b', []);
  defineHistogram(registry, 'c', 'c', [], [1]);
  defineReadGauge(registry, 'd', 'd', [], () => {});
  defineReadCounter(registry, 'e_total', 'e', [], () => {});
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  assert.deepEqual(names, ['fairlead_a_total', 'fairlead_b', 'fairlead_c', 'fairlead_d', 'fairlead_e_total']);
  assert.deepEqual(register.getMetricsAsArray(), []);
});

test('a value that is read at a scrape replaces the previous one, and one that is gone is not shown', async () => {
  const registry = new Registry();
  let endpoints = ['a', 'b'];
  defineReadGauge(registry, 'healthy', 'h', ['endpoint'], gauge => {
    for (const endpoint of endpoints) gauge.set({ endpoint }, 1);
  });
  defineReadCounter(registry, 'seconds_total', 's', [], counter => counter.inc(5));
  await registry.metrics();
  endpoints = ['b'];
  const text = await registry.metrics();
  assert.doesNotMatch(text, /endpoint="a"/);
  assert.match(text, /fairlead_healthy\{endpoint="b"\} 1/);
  assert.match(text, /fairlead_seconds_total 5\n/);
});
