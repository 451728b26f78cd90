import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Random } from '../../src/resilience/random.ts';
import { compareRoutes } from '../../src/routing/matcher.ts';
import type { NamedMatch, PathMatch, RoutableRequest, RouteMatch } from '../../src/routing/route.ts';
import { buildRouter } from '../../src/routing/router.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { type MatchSketch, matchOf, requestOf } from './route_builder.ts';

const SEED = Number(process.env.SEED ?? 42);

function routerOf(routes: Readonly<Record<string, MatchSketch>>) {
  return buildRouter(Object.entries(routes).map(([value, sketch]) => ({ match: matchOf(sketch), value })));
}

test('the host decides first: exact, the longest wildcard, any', () => {
  const router = routerOf({
    any: {},
    wide: { hosts: ['*.example.com'] },
    narrow: { hosts: ['*.api.example.com'] },
    exact: { hosts: ['www.example.com', 'other.org'] },
  });
  const cases: [host: string, route: string][] = [
    ['www.example.com', 'exact'],
    ['other.org', 'exact'],
    ['x.example.com', 'wide'],
    ['x.y.z.example.com', 'wide'],
    ['api.example.com', 'wide'],
    ['v1.api.example.com', 'narrow'],
    ['a.v1.api.example.com', 'narrow'],
    ['example.com', 'any'], // the bare domain is not below itself
    ['.example.com', 'any'],
    ['notexample.com', 'any'],
    ['example.com.evil.org', 'any'],
    ['com', 'any'],
    ['', 'any'],
    ['[::1]', 'any'],
  ];
  for (const [matchHost, route] of cases)
    assert.equal(router.match(requestOf({ matchHost })), route, matchHost);
});

test('within a host the path decides, and the order in the file does not', () => {
  const routes: Record<string, MatchSketch> = {
    root: {},
    prefix: { path: '/users' },
    template: { path: '/users/{id}' },
    deep: { path: '/users/{id}/posts/**' },
    me: { path: '=/users/me' },
    regex: { path: '~/users/[0-9]+/.*' },
  };
  const cases: [path: string, route: string][] = [
    ['/users/me', 'me'],
    ['/users/me/', 'prefix'],
    ['/users/7', 'template'],
    ['/users/7/posts', 'deep'],
    ['/users/7/posts/1/x', 'deep'],
    ['/users/7/likes', 'regex'],
    ['/users/x/likes', 'prefix'],
    ['/users/', 'prefix'],
    ['/users', 'prefix'],
    ['/users2', 'root'],
    ['/', 'root'],
    ['*', 'root'],
  ];
  for (const order of [Object.entries(routes), Object.entries(routes).reverse()]) {
    const router = routerOf(Object.fromEntries(order));
    for (const [matchPath, route] of cases)
      assert.equal(router.match(requestOf({ matchPath })), route, matchPath);
  }
});

test('when the conditions of a route do not hold, the next one is asked, also of a less specific host', () => {
  const router = routerOf({
    fallback: { path: '/' },
    wild: { hosts: ['*.example.com'], path: '/a' },
    exact: { hosts: ['www.example.com'], path: '/a/b', methods: ['PUT'] },
    literal: { path: '/a/b/c', headers: { x: '1' } },
    parameter: { path: '/a/{p}/c', headers: { y: '1' } },
  });
  const at = (request: Partial<RoutableRequest>) =>
    router.match(requestOf({ matchHost: 'www.example.com', ...request }));
  assert.equal(at({ matchPath: '/a/b', method: 'PUT' }), 'exact');
  assert.equal(at({ matchPath: '/a/b' }), 'wild', 'another method: the wildcard host takes it');
  assert.equal(at({ matchPath: '/b' }), 'fallback', 'neither host has the path');
  const elsewhere = { matchHost: 'else.org', matchPath: '/a/b/c' };
  assert.equal(at({ ...elsewhere, headers: ['X', '1', 'Y', '1'] }), 'literal');
  assert.equal(
    at({ ...elsewhere, headers: ['Y', '1'] }),
    'parameter',
    'back from the literal to the parameter',
  );
  assert.equal(at(elsewhere), 'fallback');
});

test('the route with more conditions is asked first', () => {
  const router = routerOf({
    plain: { path: '/a' },
    canary: { path: '/a', headers: { 'x-canary': '1' } },
    both: { path: '/a', headers: { 'x-canary': '1' }, methods: ['GET'] },
  });
  const headers = ['X-Canary', '1'];
  assert.equal(router.match(requestOf({ matchPath: '/a', headers })), 'both');
  assert.equal(router.match(requestOf({ matchPath: '/a', headers, method: 'PUT' })), 'canary');
  assert.equal(router.match(requestOf({ matchPath: '/a' })), 'plain');
});

test('OPTIONS * goes to a route for every path and to no other', () => {
  const request = requestOf({ method: 'OPTIONS', matchPath: '*' });
  assert.equal(
    routerOf({ regex: { path: '~.*' }, prefix: { path: '/a' }, parameter: { path: '/{x}' } }).match(request),
    null,
  );
  assert.equal(routerOf({ regex: { path: '~.*' }, all: { path: '/' } }).match(request), 'all');
});

test('no route is null', () => {
  assert.equal(routerOf({}).match(requestOf({})), null);
  assert.equal(
    routerOf({ a: { path: '=/a' }, b: { hosts: ['b.com'] } }).match(requestOf({ matchPath: '/b' })),
    null,
  );
});

// Goal: the tries say what the rule says. Method: every host of every route on its own, sorted by compareRoutes, and
// the first that matches; what matches is decided here once more, by other means than in the router.
test('thousands of random routers agree with the slow and simple way', t => {
  t.diagnostic(`SEED=${SEED}`);
  const random = seededRandom(SEED);
  let hits = 0;
  let fallbacks = 0;
  for (let round = 0; round < 3_000; round++) {
    const routes = Array.from({ length: 1 + Math.floor(random.unit() * 14) }, (_, name) => ({
      name,
      match: randomMatch(random),
    }));
    const router = buildRouter(routes.map(({ match, name }) => ({ match, value: name })));
    const sorted = routes
      .flatMap(({ match, name }) => {
        const hosts = match.hosts.length === 0 ? [[]] : match.hosts.map(host => [host]);
        return hosts.map(single => ({ name, match: { ...match, hosts: single } }));
      })
      .sort(compareRoutes);
    for (let requests = 0; requests < 12; requests++) {
      const request = randomRequest(random);
      const expected = sorted.find(({ match }) => slowlyMatches(match, request))?.name ?? null;
      const described = `SEED=${SEED}\n${JSON.stringify(request)}\n${JSON.stringify(routes, null, 1)}`;
      assert.equal(router.match(request), expected, described);
      const { chosen, nearer } = router.explain(request);
      assert.equal(chosen, expected, `explain: ${described}`);
      assert(
        nearer.every(({ value }) => value !== expected),
        `the chosen one is not nearer than itself: ${described}`,
      );
      if (expected !== null) hits++;
      if (nearer.some(({ reason }) => !reason.startsWith('path'))) fallbacks++;
    }
  }
  assert(
    hits > 5_000 && fallbacks > 2_000,
    `the test must see matches and broken conditions: ${hits}, ${fallbacks}`,
  );
});

function slowlyMatches(match: RouteMatch, request: RoutableRequest): boolean {
  const [host] = match.hosts;
  const hostHolds =
    host === undefined ||
    request.matchHost === host ||
    (host.startsWith('*.') &&
      new RegExp(`^.+${host.slice(1).replaceAll('.', '\\.')}$`).test(request.matchHost));
  if (!hostHolds || !slowPath(match.path).test(request.matchPath)) return false;
  if (match.methods.length > 0 && !match.methods.includes(request.method)) return false;
  const headers = new Headers();
  for (let at = 0; at < request.headers.length; at += 2) {
    headers.append(request.headers[at] as string, request.headers[at + 1] as string);
  }
  const query = new URLSearchParams(request.query);
  return (
    match.headers.every(({ name, test }) => slowlyHolds(test, headers.get(name))) &&
    match.query.every(({ name, test }) => slowlyHolds(test, query.get(name)))
  );
}

function slowPath({ kind, value }: PathMatch): RegExp {
  const quoted = value.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
  switch (kind) {
    case 'exact':
      return new RegExp(`^${quoted}$`);
    case 'prefix':
      return value === '/' ? /^/ : new RegExp(`^${quoted}(?:/.*)?$`);
    case 'template':
      if (value === '/**') return /^/;
      return new RegExp(`^${quoted.replace(/\{\w+\}/g, '[^/]+').replace(/\/\\\*\\\*$/, '(?:/.*)?')}$`);
    case 'regex':
      return new RegExp(`^(?!\\*$)(?:${value})$`);
  }
}

function slowlyHolds(test: NamedMatch['test'], value: string | null): boolean {
  if (test.kind === 'absent' || value === null) return test.kind === 'absent' && value === null;
  return (
    test.kind === 'present' ||
    (test.kind === 'exact' ? value === test.value : new RegExp(`^(?:${test.value})$`).test(value))
  );
}

function randomMatch(random: Random): RouteMatch {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random.unit() * items.length)] as T;
  const some = <T>(chance: number, make: () => T): T[] => (random.unit() < chance ? [make()] : []);
  const host = () => pick(['a.x', 'b.a.x', 'x', '*.x', '*.a.x', '*.y']);
  const segment = () => pick(['a', 'b', 'c', 'a', '', '{p}', '{q}']);
  const path = Array.from({ length: 1 + Math.floor(random.unit() * 3) }, () => `/${segment()}`).join('');
  const paths = () => {
    if (random.unit() < 0.12) return pick(['~/a/.*', '~/a/b+', '~.*/c', '~/(a|b)/.*', '~/a/[^/]*/c', '~.*']);
    if (/\{/.test(path)) return random.unit() < 0.4 ? `${path}/**` : path;
    if (random.unit() < 0.15) return `${path}/**`;
    return random.unit() < 0.5 ? `=${path}` : path.replace(/(.)\/+$/, '$1');
  };
  const text = () => pick(['1', '2', '+', '-', '~[12]', '1, 2']);
  return matchOf({
    hosts: [...new Set([...some(0.5, host), ...some(0.3, host)])],
    path: paths(),
    methods: [...new Set([...some(0.3, () => pick(['GET', 'PUT'])), ...some(0.1, () => 'POST')])],
    headers: Object.fromEntries([...some(0.25, () => ['h', text()]), ...some(0.1, () => ['i', text()])]),
    query: Object.fromEntries(some(0.2, () => ['q', pick(['1', '2', '+', '-', '~[12]'])])),
  });
}

function randomRequest(random: Random): RoutableRequest {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random.unit() * items.length)] as T;
  const segments = Array.from({ length: Math.floor(random.unit() * 5) }, () =>
    pick(['a', 'b', 'c', '', 'bb', 'ab']),
  );
  return {
    method: pick(['GET', 'PUT', 'POST']),
    matchHost: pick(['a.x', 'b.a.x', 'c.b.a.x', 'x', 'y', 'z.y', '']),
    matchPath: random.unit() < 0.02 ? '*' : `/${segments.join('/')}`,
    query: pick(['', '?', '?q=1', '?q=%31', '?a=1&q=2', '?q=1&q=2', '?q']),
    authority: pick(['a', 'b', '']),
    headers: pick([
      [],
      ['H', '1'],
      ['h', '2', 'I', '1'],
      ['Host', 'a', 'h', '1', 'H', '2'],
      ['i', '2'],
      ['h', ''],
    ]),
  };
}
