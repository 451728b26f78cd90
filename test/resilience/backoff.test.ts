import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from '../../src/resilience/backoff.ts';

const settings = { baseMs: 25, maxMs: 250 };
const always = (unit: number) => ({ unit: () => unit, requestId: () => '', hex: () => '' });

test('the range of the delay grows as Envoy’s does, and is capped', () => {
  for (const [attempt, rangeMs] of [
    [1, 25],
    [2, 75],
    [3, 175],
    [4, 250],
    [30, 250],
  ] as const) {
    assert.equal(backoffMs(attempt, settings, always(0)), 0, 'full jitter begins at nothing');
    assert.equal(backoffMs(attempt, settings, always(0.5)), rangeMs / 2);
  }
});

test('any number of attempts gives a delay that a timer takes', () => {
  for (const attempt of [1, 100, 5_000])
    assert.ok(Number.isFinite(backoffMs(attempt, settings, always(0.999))));
});
