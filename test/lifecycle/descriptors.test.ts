import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descriptorNeed, descriptorWarning } from '../../src/lifecycle/descriptors.ts';
import { shareDescriptors } from '../../src/net/descriptors.ts';
import { forwardTo, planOf } from '../support/plan_builder.ts';

const ENDPOINTS = ['10.0.0.1:80', '10.0.0.2:80'];

test('what a configuration may need: its connections, its pools, and a probe for each endpoint', () => {
  const plan = forwardTo(ENDPOINTS, {
    process: { connections: 1_000 },
    listener: { limits: { connections: 'off' } },
    clusters: {
      probed: {
        endpoints: ['10.0.0.3:80'],
        pool: { connections: 5 },
        health: { active: { path: '/healthz' } },
      },
    },
  });
  assert.deepEqual(descriptorNeed(planOf(plan)), { clients: 1_000, backends: 2 * 128 + 5 + 1 });
});

test('limits of listeners that are lower together than process.connections count instead of it', () => {
  const plan = forwardTo(ENDPOINTS, {
    listener: { limits: { connections: 10 } },
    listeners: { more: { address: '127.0.0.1:0', limits: { connections: 30 } } },
  });
  assert.equal(descriptorNeed(planOf(plan)).clients, 40);
});

test('a descriptor limit that is too low is a warning with numbers and advice; one that is enough is not', () => {
  const need = { clients: 20_000, backends: 128 };
  const warningAt = (limit: number) => descriptorWarning(limit, need, shareDescriptors(limit, 24, need));
  assert.equal(
    warningAt(60),
    'the limit of 60 open files is too low for this configuration, which may need 20168: at most 10 of 20000 client ' +
      'connections are accepted and 10 of 128 connections to backends opened; raise LimitNOFILE (ulimit -n), or lower ' +
      'process.connections and clusters.*.pool.connections',
  );
  assert.ok(warningAt(20_167)?.includes('at most 19999 of 20000') === true);
  assert.equal(warningAt(20_168), null);
});
