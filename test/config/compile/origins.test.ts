import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Origins, Scope } from '../../../src/config/compile/origins.ts';
import { parseDocument } from '../../../src/config/text/document.ts';
import { loadedFrom } from '../config_text.ts';

test('every leaf of a plan has an origin, and nothing else has', () => {
  const { plan, origins: noted } = loadedFrom({
    routes: '[{ name: all, forward: { cluster: app }, rateLimits: [{ key: route, rate: 1/s }] }]',
  });
  const origins = noted.ofLeaves(plan);
  const leaves: string[] = [];
  const visit = (value: unknown, path: readonly string[]): void => {
    const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    if (entries.length === 0 && path[0] !== 'digest') leaves.push(path.join('.'));
    for (const [key, inner] of entries)
      visit(inner, [...path, path.length === 1 && path[0] === 'routes' ? String(inner.name) : key]);
  };
  visit(plan, []);
  assert.deepEqual([...origins.keys()].sort(), leaves.sort());
  for (const [path, origin] of origins) {
    assert.match(origin, /^(?:default|test\.yaml:\d+:\d+)$/, path);
    assert.equal(noted.get(path), origin, `${path}, asked for alone`);
  }
});

test('a value points to its place, an inherited one to the place that it is inherited from', () => {
  const { origins } = loadedFrom(
    [
      'version: 1',
      'listeners:',
      '  main:',
      '    address: 127.0.0.1:80',
      '    timeouts: { request: 5s }',
      'routes:',
      '  - name: all',
      '    forward: { cluster: app }',
      '    limits: { bodyBytes: 1MiB }',
      'clusters: { app: { endpoints: [a:1] } }',
    ].join('\n'),
  );
  assert.equal(origins.get('listeners.main.limits.requestMs'), 'test.yaml:5:26');
  assert.equal(origins.get('routes.all.listeners.main.requestMs'), 'test.yaml:5:26');
  assert.equal(origins.get('routes.all.listeners.main.bodyBytesMax'), 'test.yaml:9:26');
  assert.equal(origins.get('routes.all.listeners.main.bodyIdleMs'), 'default');
  assert.equal(origins.get('routes.all.action.targets.0.cluster'), 'test.yaml:8:14');
  assert.equal(origins.get('clusters.app.endpoints.0.address.port'), 'test.yaml:10:32');
  assert.equal(origins.get('clusters.app.endpoints.0.weight'), 'default');
});

test('what an alias brings in points to its anchor', () => {
  const { origins } = loadedFrom({
    clusters: '{ app: { endpoints: [a:1], pool: &p { idle: 5s } }, b: { endpoints: [b:1], pool: *p } }',
    routes: '[{ name: all, forward: { split: [{ cluster: app, weight: 1 }, { cluster: b, weight: 1 }] } }]',
  });
  assert.equal(origins.get('clusters.b.pool.idleMs'), origins.get('clusters.app.pool.idleMs'));
  assert.notEqual(origins.get('clusters.b.pool.idleMs'), 'default');
});

test('a scope takes the written value, off included, and otherwise the default', () => {
  const { document } = parseDocument('c: { pool: { idle: 1, maxAge: 2 } }', 'x.yaml', {});
  assert(document !== null);
  const origins = new Origins(document);
  const scope = new Scope(origins, { pool: { idle: 7, maxAge: null } }, 'plan', ['c']);
  assert.equal(scope.number('idleMs', 'clusters.pool.idle'), 7);
  assert.equal(scope.limit('ageMsMax', 'clusters.pool.maxAge'), null);
  assert.equal(scope.limit('requestsMax', 'clusters.pool.maxRequests'), 1_000);
  assert.equal(scope.choice('policy', 'clusters.loadBalancing.policy'), 'leastRequests');
  assert.equal(scope.part('name', [], 'n'), 'n');
  assert.deepEqual(
    [
      ...origins.noted.ofLeaves({
        plan: { idleMs: 7, ageMsMax: null, requestsMax: 1_000, policy: 'x', other: 1 },
      }),
    ],
    [
      ['plan.idleMs', 'x.yaml:1:20'],
      ['plan.ageMsMax', 'x.yaml:1:31'],
      ['plan.requestsMax', 'default'],
      ['plan.policy', 'default'],
      ['plan.other', 'default'],
    ],
  );
});
