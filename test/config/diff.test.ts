import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeChange, diffPlans, type PlanChange } from '../../src/config/diff.ts';
import { runAtOnce } from '../../src/resilience/time_slices.ts';
import { loadedFrom, type Parts } from './config_text.ts';

const BASE = {
  clusters: '{ app: { endpoints: ["10.0.0.1:80", "10.0.0.2:80"] } }',
  routes: '[{ name: all, forward: { cluster: app } }]',
};

function changesOf(before: Parts, after: Parts): PlanChange[] {
  return runAtOnce(diffPlans(loadedFrom(before).plan, loadedFrom(after).plan));
}

function linesOf(before: Parts, after: Parts): string[] {
  return changesOf(before, after).map(describeChange);
}

test('the order of a file, its comments, and a default that is written out change nothing', () => {
  const one = {
    ...BASE,
    routes:
      '[{ name: a, match: { path: { exact: /a } }, forward: { cluster: app } }, { name: b, forward: { cluster: app } }]',
  };
  const other = {
    clusters:
      '{ app: { endpoints: ["10.0.0.1:80", "10.0.0.2:80"], pool: { connections: 128 } } } # as before',
    routes:
      '[{ name: b, forward: { cluster: app } }, { name: a, match: { path: { exact: /a } }, forward: { cluster: app } }]',
  };
  assert.deepEqual(changesOf(one, other), []);
});

test('a value that changes is told with its path in the plan, before and after', () => {
  const after = {
    ...BASE,
    clusters: '{ app: { endpoints: ["10.0.0.1:80", "10.0.0.2:80"], pool: { connections: 64 } } }',
  };
  assert.deepEqual(linesOf(BASE, after), ['live     clusters.app.pool.connectionsMax: 128 -> 64']);
});

test('what goes away drains, what comes is live', () => {
  const after = {
    ...BASE,
    clusters: '{ app: { endpoints: ["10.0.0.2:80", "10.0.0.3:80"] }, spare: { endpoints: ["10.0.0.9:80"] } }',
    routes:
      '[{ name: all, forward: { cluster: app } }, { name: s, match: { path: { prefix: /s } }, forward: { cluster: spare } }]',
  };
  assert.deepEqual(linesOf(BASE, after), [
    'live     routes.s: added',
    'drain    clusters.app.endpoints.10.0.0.1:80: removed',
    'live     clusters.app.endpoints.10.0.0.3:80: added',
    'live     clusters.spare: added',
  ]);
  assert.deepEqual(linesOf(after, BASE), [
    'live     routes.s: removed',
    'drain    clusters.app.endpoints.10.0.0.3:80: removed',
    'live     clusters.app.endpoints.10.0.0.1:80: added',
    'drain    clusters.spare: removed',
  ]);
});

test('a route that goes elsewhere says where', () => {
  const clusters = '{ app: { endpoints: ["10.0.0.1:80"] }, b: { endpoints: ["10.0.0.2:80"] } }';
  const split = (cluster: string) =>
    `[{ name: all, forward: { cluster: ${cluster} } }, { name: keep, match: { path: { exact: /b } }, forward: { split: [{ cluster: app, weight: 1 }, { cluster: b, weight: 1 }] } }]`;
  const changes = changesOf({ clusters, routes: split('app') }, { clusters, routes: split('b') });
  assert.equal(changes.length, 1);
  assert.match(
    describeChange(changes[0] as PlanChange),
    /^live {5}routes\.all\.action\.targets: .*"app".* -> .*"b"/,
  );
});

test('a listener that moves drains, and what cannot change while the process runs needs a restart', () => {
  const moved = {
    ...BASE,
    listeners: '{ main: { address: 127.0.0.1:81 } }',
    top: 'admin: { address: 127.0.0.1:9902 }',
  };
  const before = {
    ...BASE,
    listeners: '{ main: { address: 127.0.0.1:80 } }',
    top: 'admin: { address: 127.0.0.1:9901 }',
  };
  assert.deepEqual(linesOf(before, moved), [
    'restart  admin.address.port: 9901 -> 9902',
    'drain    listeners.main.address.port: 80 -> 81',
  ]);
});

test('a secret that changes is a change, but neither value is told', () => {
  const withKey = (key: string) => ({
    ...BASE,
    routes: `[{ name: all, forward: { cluster: app }, headers: { request: { set: { authorization: "Bearer ${key}" } } } }]`,
  });
  const changes = changesOf(withKey('first-one'), withKey('second-one'));
  assert.equal(changes.length, 1);
  assert.equal(changes[0]?.path, 'routes.all.headers.request.set');
  assert.doesNotMatch(JSON.stringify(changes), /first-one|second-one/);
});

test('a long value is cut short in a sentence', () => {
  const body = (text: string) => ({
    ...BASE,
    routes: `[{ name: all, respond: { status: 200, body: ${text} } }]`,
  });
  const [line = ''] = linesOf(body('a'.repeat(500)), body('b'.repeat(500)));
  assert(line.length < 250, line);
});
