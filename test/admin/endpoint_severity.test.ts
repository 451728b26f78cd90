import assert from 'node:assert/strict';
import { test } from 'node:test';
import { severityOf, sorted } from '../../src/admin/endpoint_severity.ts';
import type { EndpointView } from '../../src/admin/status_view.ts';

const FIGURES = { perSecond: 1, failureShare: 0, retried: 0, p50Ms: 1, p95Ms: 1, p99Ms: 1 };

function endpoint(change: Partial<EndpointView> = {}): EndpointView {
  return { state: 'healthy', circuit: null, disagrees: false, figures: FIGURES, ...change } as EndpointView;
}

test('the worst endpoints are the first of their table', () => {
  const states = sorted([
    endpoint(),
    endpoint({ state: 'warming' }),
    endpoint({ circuit: 'open' }),
    endpoint({ state: 'ejected' }),
  ]);
  assert.deepEqual(
    states.map(({ state, circuit }) => circuit ?? state),
    ['ejected', 'open', 'warming', 'healthy'],
  );
});

test('an endpoint is in trouble from more than 5 % of failed requests', () => {
  assert.equal(severityOf(endpoint({ figures: { ...FIGURES, failureShare: 0.05 } })), 3);
  assert.equal(severityOf(endpoint({ figures: { ...FIGURES, failureShare: 0.051 } })), 1);
});
