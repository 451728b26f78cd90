import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareRoutes, conflict, findConflicts } from '../../src/routing/matcher.ts';
import { buildPathPattern, pathMatches } from '../../src/routing/pattern.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { type MatchSketch, pathOf, routeOf } from './route_builder.ts';

const SEED = Number(process.env.SEED ?? 11);

test('the documented order of precedence, from the most to the least specific', () => {
  const order: MatchSketch[] = [
    { hosts: ['a.example.com'], path: '=/a/b' },
    { hosts: ['a.example.com'], path: '/' },
    { hosts: ['*.a.example.com'], path: '=/a' },
    { hosts: ['*.example.com'], path: '=/a' },
    { path: '=/a', methods: ['GET'], headers: { x: '1' } },
    { path: '=/a', query: { x: '1' } },
    { path: '=/a' },
    { path: '/a/b/c' },
    { path: '/a/b/{id}' },
    { path: '~/a/b/.*' },
    { path: '/a/b' },
    { path: '/a/{id}/c' },
    { path: '/a/{id}/{x}' },
    { path: '/a/{id}/**' },
    { path: '~/a/[0-9]+' },
    { path: '/a', methods: ['GET'], query: { x: '1', y: '2' } },
    { path: '/a', methods: ['GET', 'PUT', 'POST'], query: { x: '1' } },
    { path: '/a', methods: ['GET'] },
    { path: '/a' },
    { path: '/{x}' },
    { path: '/{x}/a' },
    { path: '~.*/a' },
    { path: '/', headers: { a: '+' } },
    { path: '/' },
  ];
  for (const [at, first] of order.entries()) {
    for (const [later, second] of order.entries()) {
      const sign = Math.sign(compareRoutes(routeOf(first), routeOf(second)));
      assert.equal(sign, Math.sign(at - later), `${JSON.stringify(first)} and ${JSON.stringify(second)}`);
    }
  }
});

test('a route with several hosts has the place of its most specific one', () => {
  const both = routeOf({ hosts: ['*.com', 'a.com'] });
  assert.equal(compareRoutes(both, routeOf({ hosts: ['b.com'] })), 0);
  assert(compareRoutes(both, routeOf({ hosts: ['*.a.com'] })) < 0);
});

// Goal: "more specific" is what a person means by it. Method: all paths of three segments over a small alphabet.
test('a path condition that takes a part of what another takes always comes first', t => {
  t.diagnostic(`SEED=${SEED}`);
  const random = seededRandom(SEED);
  const one = ['', '/', '/a', '/b'];
  const universe = new Set(one.flatMap(x => one.flatMap(y => one.map(z => x + y + z || '/'))));
  const segment = () => ['a', 'b', '{x}', '{y}', ''][Math.floor(random.unit() * 5)];
  const randomPath = () => {
    const text = Array.from({ length: Math.floor(random.unit() * 4) }, () => `/${segment()}`).join('') || '/';
    const kind = random.unit();
    if (/\{/.test(text)) return kind < 0.4 ? `${text}/**` : text;
    return kind < 0.5 ? `=${text}` : text.replace(/(.)\/$/, '$1');
  };
  const taken = (path: string) =>
    new Set([...universe].filter(text => pathMatches(buildPathPattern(pathOf(path)), text)));
  let subsets = 0;
  for (let round = 0; round < 4_000; round++) {
    const [narrow, wide] = [randomPath(), randomPath()];
    const few = taken(narrow);
    const many = taken(wide);
    if (few.size === 0 || few.size >= many.size || !few.isSubsetOf(many)) continue;
    subsets++;
    assert(
      compareRoutes(routeOf({ path: narrow }), routeOf({ path: wide })) < 0,
      `SEED=${SEED} ${narrow} before ${wide}`,
    );
  }
  assert(subsets > 200, `the test must see such pairs: ${subsets}`);
});

test('two routes are in conflict exactly if neither is more specific and one request can match both', () => {
  const cases: [a: MatchSketch, b: MatchSketch, conflict: boolean, why: string][] = [
    [{ path: '/a' }, { path: '/a' }, true, 'the same'],
    [{ path: '/users/{id}' }, { path: '/users/{name}' }, true, 'parameters only differ in name'],
    [{ path: '/a' }, { path: '/a/**' }, true, 'two ways to write one prefix'],
    [{ path: '/%61' }, { path: '/a' }, true, 'two ways to write one letter'],
    [{ path: '/a/{x}' }, { path: '/{x}/a' }, false, 'the first is more specific'],
    [{ path: '/a/{x}' }, { path: '/b/{x}' }, false, 'no path fits both'],
    [{ path: '=/a' }, { path: '=/a/' }, false, 'a slash at the end counts'],
    [{ hosts: ['a.com'] }, { hosts: ['b.com'] }, false, 'other hosts'],
    [{ hosts: ['a.com', 'c.com'] }, { hosts: ['b.com', 'c.com'] }, true, 'one host in common'],
    [
      { hosts: ['a.com', '*.c.com'] },
      { hosts: ['*.c.com'] },
      true,
      'tied on the wildcard, whatever else they have',
    ],
    [{ hosts: ['*.c.com'] }, { hosts: ['*.b.c.com'] }, false, 'the longer wildcard comes first'],
    [{}, { hosts: ['a.com'] }, false, 'any host comes last'],
    [{ methods: ['GET'] }, { methods: ['PUT'] }, false, 'other methods'],
    [{ methods: ['GET', 'PUT'] }, { methods: ['PUT', 'POST'] }, true, 'PUT fits both'],
    [{ methods: ['GET'] }, {}, false, 'one more condition comes first'],
    [{ methods: ['GET'] }, { headers: { x: '1' } }, true, 'one condition each, and a request may fit both'],
    [{ headers: { x: '1' } }, { headers: { x: '2' } }, false, 'a header has one value'],
    [{ headers: { x: '1' } }, { headers: { y: '1' } }, true, 'other headers'],
    [{ headers: { x: '+' } }, { headers: { x: '-' } }, false, 'present or absent'],
    [{ headers: { x: '1' } }, { headers: { x: '-' } }, false, 'absent has no value'],
    [{ headers: { x: '1' } }, { headers: { x: '+' } }, true, 'the value is present'],
    [{ headers: { x: '1' } }, { headers: { x: '~[0-9]' } }, true, '1 is a digit'],
    [{ headers: { x: '~[0-9]' } }, { headers: { x: 'a' } }, false, 'a is no digit'],
    [{ headers: { x: '~[0-9]' } }, { headers: { x: '~[a-z]' } }, false, 'no letter is a digit'],
    [{ query: { v: '1' } }, { query: { v: '2' } }, false, 'the first parameter counts'],
    [
      { query: { v: '1' } },
      { headers: { v: '2' } },
      true,
      'a header and a parameter know nothing of each other',
    ],
    [{ path: '~/a/[0-9]+' }, { path: '~/a/[a-z]+' }, false, 'no path fits both'],
    [{ path: '~/a/[0-9]+' }, { path: '~/a/[0-9a-f]+' }, true, 'digits fit both'],
    [{ path: '~/a/[0-9]+' }, { path: '~/b/[0-9]+' }, false, 'they begin otherwise'],
    [{ path: '~/a/[0-9]+' }, { path: '~/a/x/[0-9]+' }, false, 'the longer beginning comes first'],
  ];
  for (const [a, b, expected, why] of cases) {
    assert.equal(
      conflict(routeOf(a), routeOf(b)),
      expected,
      `${JSON.stringify(a)} ${JSON.stringify(b)}: ${why}`,
    );
    assert.equal(conflict(routeOf(b), routeOf(a)), expected, 'in either order');
  }
  assert.equal(conflict(routeOf({}, ['a']), routeOf({}, ['b'])), false, 'no listener serves both');
  assert.equal(conflict(routeOf({}, ['a', 'b']), routeOf({}, ['b'])), true);
});

test('all conflicts are found, each once, and as fast among ten thousand routes as they must be', () => {
  const routes = Array.from({ length: 10_000 }, (_, at) =>
    routeOf({ hosts: ['a.com', 'b.com'], path: `=/x/${at}` }),
  );
  routes[9_999] = routeOf({ hosts: ['b.com', 'a.com'], path: '=/x/7' });
  assert.deepEqual(findConflicts(routes), [[7, 9_999]]);
  const twice = routeOf({ hosts: ['a.com', 'a.com'] });
  assert.deepEqual(findConflicts([twice]), [], 'a route is not in conflict with itself');
  const alike = Array.from({ length: 10_000 }, () => twice);
  assert.equal(findConflicts(alike).length, 9_999, 'each with the first, not fifty million pairs');
});
