import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readinessOf } from '../../src/lifecycle/readiness.ts';
import type { RunningPlan } from '../../src/lifecycle/running_plan.ts';

function running(serving: number, required: boolean): RunningPlan {
  return {
    loaded: { plan: { clusters: { app: { name: 'app', required } } } },
    plane: { clusters: new Map([['app', { pool: { eligibleCount: serving } }]]) },
  } as unknown as RunningPlan;
}

test('a process is ready while it serves, and says why it is not', () => {
  assert.deepEqual(readinessOf('serving', running(1, true)), { ready: true, reasons: [] });
  assert.deepEqual(readinessOf('starting', running(1, true)).reasons, ['the process is starting']);
  for (const phase of ['lame_duck', 'draining', 'forcing', 'stopped'] as const)
    assert.deepEqual(readinessOf(phase, running(1, true)).reasons, ['the process is shutting down'], phase);
});

test('a cluster without an endpoint that serves counts only where it is required', () => {
  assert.deepEqual(readinessOf('serving', running(0, true)).reasons, [
    'the required cluster app has no endpoint that serves',
  ]);
  assert.equal(readinessOf('serving', running(0, false)).ready, true);
});
