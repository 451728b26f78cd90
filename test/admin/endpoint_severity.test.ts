import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterSeverity, severityOf, sorted } from '../../src/admin/endpoint_severity.ts';
import { clusterView, endpointView, FIGURES } from './page_view.ts';

test('the worst endpoints are the first of their table', () => {
  const states = sorted([
    endpointView(),
    endpointView({ state: 'warming' }),
    endpointView({ circuit: 'open' }),
    endpointView({ state: 'ejected' }),
  ]);
  assert.deepEqual(
    states.map(({ state, circuit }) => circuit ?? state),
    ['ejected', 'open', 'warming', 'healthy'],
  );
});

test('an endpoint is in trouble from more than 5 % of failed requests, and is not right if it is slow', () => {
  assert.equal(severityOf(endpointView({ figures: { ...FIGURES, failureShare: 0.05 } })), 3);
  assert.equal(severityOf(endpointView({ figures: { ...FIGURES, failureShare: 0.051 } })), 1);
  assert.equal(severityOf(endpointView({ slow: { p95Ms: 900, expectedMs: 20, against: 'history' } })), 2);
});

test('a cluster is as bad as its worst endpoint, and worse if nothing of it serves', () => {
  const fine = endpointView();
  assert.equal(clusterSeverity(clusterView([fine, endpointView({ state: 'ejected' })])), 1);
  assert.equal(clusterSeverity(clusterView([fine, endpointView({ state: 'warming' })])), 2);
  assert.equal(clusterSeverity(clusterView([fine])), 3);
  assert.equal(clusterSeverity(clusterView([fine], { serving: 0 })), 0);
  assert.equal(clusterSeverity(clusterView([fine], { circuit: 'open' })), 0);
  assert.equal(clusterSeverity(clusterView([fine], { panic: true })), 0);
  assert.equal(clusterSeverity(clusterView([fine], { queue: 1 })), 1);
});
