import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findUnreachable } from '../../../src/config/check/unreachable.ts';
import { compareRoutes } from '../../../src/routing/matcher.ts';
import { buildRouter } from '../../../src/routing/router.ts';
import { type MatchSketch, requestOf, routeOf } from '../../routing/route_builder.ts';
import { seededRandom } from '../../support/seeded_random.ts';

function unreachable(...sketches: readonly (MatchSketch & { listeners?: readonly string[] })[]): string[] {
  const routes = sketches.map(({ listeners, ...sketch }, at) => ({
    ...routeOf(sketch, listeners),
    name: `r${at}`,
  }));
  return findUnreachable(routes.toSorted(compareRoutes)).map(({ route }) => route);
}

test('a regex below a prefix that is asked before never matches', () => {
  assert.deepEqual(unreachable({ path: '/api' }, { path: '~/api(/.*)?' }), ['r1']);
  assert.deepEqual(unreachable({ path: '=/api' }, { path: '~/(api)' }), ['r1']);
});

test('a regex that goes beyond it does', () => {
  assert.deepEqual(unreachable({ path: '/api' }, { path: '~/api.*' }), [], '/apis');
  assert.deepEqual(unreachable({ path: '=/api' }, { path: '~/api(/.*)?' }), [], '/api/x');
  assert.deepEqual(unreachable({ path: '/api' }, { path: '~/[ab]pi/x' }), []);
});

test('a route with a narrower host, method, header or listener does not take everything', () => {
  const regex = { path: '~/(api)/(a|b)' };
  assert.deepEqual(unreachable({ path: '/api', hosts: ['a.example'] }, regex), []);
  assert.deepEqual(unreachable({ path: '/api', methods: ['GET'] }, regex), []);
  assert.deepEqual(unreachable({ path: '/api', headers: { 'x-a': '1' } }, regex), []);
  assert.deepEqual(unreachable({ ...regex, listeners: ['a', 'b'] }, { path: '/api', listeners: ['a'] }), []);
});

test('the same conditions, or stricter ones on the regex, change nothing', () => {
  assert.deepEqual(
    unreachable({ path: '/api', methods: ['GET', 'POST'] }, { path: '~/(api)/(a|b)', methods: ['GET'] }),
    ['r1'],
  );
  assert.deepEqual(
    unreachable(
      { path: '/api', headers: { 'x-a': '+' } },
      { path: '~/(api)/(a|b)', headers: { 'x-a': '1' } },
    ),
    ['r1'],
  );
  assert.deepEqual(
    unreachable(
      { path: '/api', hosts: ['a.example', 'b.example'] },
      { path: '~/(api)/(a|b)', hosts: ['b.example'] },
    ),
    ['r1'],
  );
});

test('a regex that no path can match is reported', () => {
  assert.deepEqual(unreachable({ path: '~api/.*' }), ['r0']);
  assert.deepEqual(unreachable({ path: '~/?api' }), []);
});

test('a route that is reported as unreachable is never chosen by the router', () => {
  const seed = 20_261;
  const random = seededRandom(seed);
  const pick = <T>(items: readonly [T, ...T[]]): T =>
    items[Math.floor(random.unit() * items.length)] ?? items[0];
  let found = 0;
  for (let round = 0; round < 400; round++) {
    const sketches = Array.from({ length: 4 }, (_, at) => ({
      path:
        at === 0
          ? pick(['~/a(/b)?', '~/a/.*', '~/(a|b)', '~/a', '~/a(/.*)?'])
          : pick(['/a', '=/a', '/a/b', '=/b', '/b', '/', '~/a/b.*']),
    }));
    const routes = sketches.map((sketch, at) => ({ ...routeOf(sketch), name: `r${at}` }));
    const dead = new Set(findUnreachable(routes.toSorted(compareRoutes)).map(({ route }) => route));
    found += dead.size;
    const router = buildRouter(routes.map(({ match, name }) => ({ match, value: name })));
    for (const path of ['/', '/a', '/a/', '/a/b', '/a/b/c', '/a/c', '/b', '/ab', '/c']) {
      const chosen = router.match(requestOf({ matchPath: path }));
      assert.ok(
        chosen === null || !dead.has(chosen),
        `seed ${seed}, round ${round}: ${path} goes to ${chosen} of ${JSON.stringify(sketches)}`,
      );
    }
  }
  assert.ok(found > 20, 'the test has something to look at');
});
