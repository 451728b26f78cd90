import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEAR_ROUTES_MAX } from '../../src/routing/explain_match.ts';
import type { RoutableRequest } from '../../src/routing/route.ts';
import { buildRouter } from '../../src/routing/router.ts';
import { type MatchSketch, matchOf, requestOf } from './route_builder.ts';

function explain(routes: Readonly<Record<string, MatchSketch>>, request: Partial<RoutableRequest>) {
  const entries = Object.entries(routes).map(([value, sketch]) => ({ match: matchOf(sketch), value }));
  const { chosen, nearer } = buildRouter(entries).explain(requestOf(request));
  return { chosen, nearer: nearer.map(({ value, reason }) => `${value}: ${reason}`) };
}

test('a nearer route says which of its conditions did not hold', () => {
  const routes = {
    all: {},
    api: { path: '/api', methods: ['PUT'] },
    canary: { path: '/api', methods: ['GET'], headers: { 'x-canary': '1' } },
  };
  assert.deepEqual(explain(routes, { matchPath: '/api/x', headers: ['X-Canary', '2'] }), {
    chosen: 'all',
    nearer: ['canary: header x-canary is not "1"', 'api: method is GET, the route requires PUT'],
  });
});

test('routes of other hosts, and routes that come later anyway, are not near', () => {
  const routes = {
    chosen: { hosts: ['example.com'], path: '/api' },
    elsewhere: { hosts: ['other.com'], path: '=/api/x' },
    later: { hosts: ['example.com'], path: '/', methods: ['PUT'] },
    laterHost: { path: '=/api/x', methods: ['PUT'] },
  };
  assert.deepEqual(explain(routes, { matchPath: '/api/x' }), { chosen: 'chosen', nearer: [] });
});

test('the more specific host comes first, then the more specific path', () => {
  const routes = {
    all: {},
    wild: { hosts: ['*.com'], path: '=/api/x', methods: ['PUT'] },
    exact: { hosts: ['example.com'], path: '/api', methods: ['PUT'] },
  };
  const { nearer } = explain(routes, { matchPath: '/api/x' });
  assert.deepEqual(
    nearer.map(line => line.split(':')[0]),
    ['exact', 'wild'],
  );
});

test('with a route at hand, a path that only shares the first slash is not near', () => {
  assert.deepEqual(
    explain({ all: {}, other: { path: '=/x' }, like: { path: '=/ab' } }, { matchPath: '/a' }).nearer,
    ['like: path is /a, the route requires exact /ab'],
  );
});

test('a more specific host that has no such path says so', () => {
  const routes = {
    all: {},
    exact: { hosts: ['example.com'], path: '/api/v1' },
    wild: { hosts: ['*.com'], path: '/api' },
  };
  assert.deepEqual(explain(routes, { matchPath: '/api/v2' }), {
    chosen: 'wild',
    nearer: ['exact: path is /api/v2, the route requires prefix /api/v1'],
  });
});

test('without a route the nearest come first: broken conditions, then the paths that begin most alike', () => {
  const routes = {
    far: { path: '=/x' },
    near: { path: '/users/{id}' },
    nearer: { path: '=/users/me/settings' },
    method: { path: '/user', methods: ['PUT'] },
    regex: { path: '~/orders/[0-9]+' },
  };
  assert.deepEqual(explain(routes, { matchPath: '/user' }), {
    chosen: null,
    nearer: [
      'method: method is GET, the route requires PUT',
      'nearer: path is /user, the route requires exact /users/me/settings',
      'near: path is /user, the route requires template /users/{id}',
      'far: path is /user, the route requires exact /x',
      'regex: path is /user, the route requires regex /orders/[0-9]+',
    ],
  });
});

test('a path has at most ten near routes, the nearest ones, among thousands', () => {
  const routes = Object.fromEntries(
    Array.from({ length: 3_000 }, (_, at) => [`r${at}`, { path: `=/area/${at}` } satisfies MatchSketch]),
  );
  const { chosen, nearer } = explain({ ...routes, all: {} }, { matchPath: '/area/1234x' });
  assert.equal(chosen, 'all');
  assert.equal(nearer.length, NEAR_ROUTES_MAX);
  assert.match(nearer[0] ?? '', /^r1234: /);
});
