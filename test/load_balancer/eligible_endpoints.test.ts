// Who serves: the plan's tiers and what is known of each endpoint, and what happens when most of them are down.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowsTraffic, type HealthState } from '../../src/health/state.ts';
import { eligibleEndpoints } from '../../src/load_balancer/eligible_endpoints.ts';

/** `1 healthy` is a healthy one of tier 1, in the order of the text; `- healthy` takes no traffic. */
function serving(texts: readonly string[], panicBelow: number | null = null): string {
  const all = texts.map((text, at) => {
    const [tier, word] = text.split(' ');
    const state = word as HealthState;
    return {
      at,
      tier: Number(tier === '-' ? 0 : tier),
      takesTraffic: tier !== '-',
      health: { state, isEligible: allowsTraffic(state) },
    };
  });
  const { members, panic } = eligibleEndpoints(all, panicBelow);
  return `${members.map(({ at }) => at).join(' ')}${panic ? ' panic' : ''}`;
}

test('the healthy ones of the lowest tier that has some', () => {
  assert.equal(serving(['0 healthy', '0 unhealthy', '0 healthy', '1 healthy']), '0 2');
  assert.equal(serving(['0 unhealthy', '0 ejected', '1 healthy', '2 healthy']), '2');
  assert.equal(serving(['0 unhealthy', '1 ejected', '2 unhealthy']), '');
  assert.equal(serving([]), '');
});

test('one that was never asked serves only where nothing healthy is left', () => {
  assert.equal(serving(['0 unknown', '0 healthy']), '1');
  assert.equal(serving(['0 unknown', '0 unhealthy', '1 healthy']), '2');
  assert.equal(serving(['0 unknown', '0 unhealthy', '1 unknown']), '0');
});

test('weight 0 or a drain takes an endpoint out, whatever its health', () => {
  assert.equal(serving(['- healthy', '0 unhealthy', '1 healthy']), '2');
  assert.equal(serving(['- healthy', '0 unhealthy'], 0.5), '1 panic');
});

test('a tier with too few healthy endpoints leaves the traffic to the next tier that has enough', () => {
  const cluster = ['0 healthy', '0 unhealthy', '0 unhealthy', '1 healthy', '1 healthy'];
  assert.equal(serving(cluster), '0');
  assert.equal(serving(cluster, 0.5), '3 4');
});

test('when no tier has enough everyone serves: panic', () => {
  assert.equal(serving(['0 healthy', '0 unhealthy', '0 ejected'], 0.5), '0 1 2 panic');
  assert.equal(serving(['0 healthy', '0 unhealthy'], 0.5), '0', 'exactly half is enough');
  assert.equal(serving(['0 unhealthy', '1 unhealthy'], 0.5), '0 1 panic');
  assert.equal(serving(['0 unhealthy', '1 unhealthy']), '', 'off by default');
});

test('a start is no panic', () => {
  assert.equal(serving(['0 unknown', '0 unknown', '0 unknown'], 0.5), '0 1 2');
  assert.equal(serving(['0 healthy', '0 unknown', '0 unknown'], 0.5), '0');
  assert.equal(serving(['0 unhealthy', '0 unknown', '0 unknown'], 0.5), '1 2');
});
