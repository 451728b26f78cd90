import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlanOrigins } from '../../src/config/plan_origins.ts';

const origins = new PlanOrigins(
  new Map([
    ['routes.api.rewrite', 'a.yaml:3:5'],
    ['routes.api.rewrite.host', 'default'],
    ['routes.a.b', 'a.yaml:9:5'],
  ]),
);

test('a value comes from where the nearest part around it comes from', () => {
  assert.equal(origins.get('routes.api.rewrite'), 'a.yaml:3:5');
  assert.equal(origins.get('routes.api.rewrite.regex.pattern'), 'a.yaml:3:5');
  assert.equal(origins.get('routes.api.rewrite.host'), 'default');
  assert.equal(origins.get('routes.api.tunnelIdleMs'), 'default');
  assert.equal(origins.get('routes.apis.rewrite'), 'default', 'a name that only begins in the same way');
});

test('a route with a dot in its name keeps its origins apart', () => {
  const plan = { routes: [{ name: 'a.b' }, { name: 'a' }] };
  assert.deepEqual(Object.fromEntries(origins.ofLeaves(plan)), {
    'routes.a.b.name': 'a.yaml:9:5',
    'routes.a.name': 'default',
  });
});
