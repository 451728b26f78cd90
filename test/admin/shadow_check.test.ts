import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shadowCheck, shadowRequestOf } from '../../src/admin/shadow_check.ts';
import type { DecisionRing } from '../../src/observability/decision_ring.ts';
import { runAtOnce } from '../../src/resilience/time_slices.ts';
import { loadedFrom } from '../config/config_text.ts';
import { acceptedHead, fields, rawRequest } from '../support/request_heads.ts';

const CLUSTERS = '{ app: { endpoints: ["10.0.0.1:80"] }, next: { endpoints: ["10.0.0.2:80"] } }';

function planWith(routes: string, listeners?: string) {
  return loadedFrom({ clusters: CLUSTERS, routes, ...(listeners === undefined ? {} : { listeners }) }).plan;
}

function ringOf(...targets: string[]): DecisionRing {
  const heads = targets.map(target => ({
    listener: 'main',
    head: acceptedHead(rawRequest({ target, headers: fields('Host: a.test', 'X-Canary: 1') })),
  }));
  return { heads: () => heads } as unknown as DecisionRing;
}

function check(ring: DecisionRing, before: ReturnType<typeof planWith>, after: ReturnType<typeof planWith>) {
  // As it travels.
  return runAtOnce(shadowCheck(ring, before, JSON.parse(JSON.stringify(shadowRequestOf(after, '1')))));
}

const ALL = '[{ name: all, forward: { cluster: app } }]';

test('requests that would go elsewhere are grouped by from and to, most frequent first, with examples', () => {
  const after = planWith(
    '[{ name: all, forward: { cluster: app } }, { name: new, match: { path: { prefix: /new } }, forward: { cluster: next } }, { name: moved, match: { path: { exact: /old } }, redirect: { status: 308, to: "/new" } }]',
  );
  const ring = ringOf('/new/1', '/', '/new/2', '/old', '/new/3', '/new/4');
  assert.deepEqual(check(ring, planWith(ALL), after), {
    matched: 6,
    elsewhere: [
      {
        from: 'route all (app)',
        to: 'route new (next)',
        count: 4,
        examples: ['GET a.test/new/1', 'GET a.test/new/2', 'GET a.test/new/3'],
      },
      { from: 'route all (app)', to: 'route moved (redirect 308)', count: 1, examples: ['GET a.test/old'] },
    ],
  });
});

test('the same route to another cluster is elsewhere; another file with the same meaning is not', () => {
  const other = planWith('[{ name: all, forward: { cluster: next } }]');
  assert.deepEqual(
    check(ringOf('/'), planWith(ALL), other).elsewhere.map(({ from, to }) => [from, to]),
    [['route all (app)', 'route all (next)']],
  );
  assert.deepEqual(check(ringOf('/', '/x'), planWith(ALL), planWith(ALL)), { matched: 2, elsewhere: [] });
});

test('conditions on fields are matched with the fields of the request', () => {
  const canary = planWith(
    '[{ name: all, forward: { cluster: app } }, { name: canary, match: { headers: { x-canary: "1" } }, forward: { cluster: next } }]',
  );
  assert.equal(check(ringOf('/'), planWith(ALL), canary).elsewhere[0]?.to, 'route canary (next)');
});

test('a request that would meet no route, or whose listener is gone, is told as such', () => {
  const narrow = planWith('[{ name: all, match: { path: { exact: /a } }, forward: { cluster: app } }]');
  assert.equal(check(ringOf('/b'), planWith(ALL), narrow).elsewhere[0]?.to, 'no route');
  const moved = planWith(ALL, '{ other: { address: "127.0.0.1:81" } }');
  assert.equal(check(ringOf('/b'), planWith(ALL), moved).elsewhere[0]?.to, 'no listener');
});
