import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildConditions, describeBroken, firstBroken } from '../../src/routing/conditions.ts';
import { type MatchSketch, matchOf, requestOf } from './route_builder.ts';

function hold(sketch: MatchSketch, request: Parameters<typeof requestOf>[0]): boolean {
  return firstBroken(buildConditions(matchOf(sketch)), requestOf(request)) < 0;
}

test('methods are matched as written', () => {
  assert(hold({ methods: ['GET', 'POST'] }, { method: 'POST' }));
  assert(!hold({ methods: ['GET', 'POST'] }, { method: 'PUT' }));
  assert(!hold({ methods: ['GET'] }, { method: 'HEAD' }), 'GET does not include HEAD');
  assert(!hold({ methods: ['GET'] }, { method: 'get' }), 'methods are case-sensitive, RFC 9110 section 9.1');
  assert(hold({}, { method: 'BREW' }));
});

test('headers are found by name in any case, and several lines are one value', () => {
  const canary = { headers: { 'x-canary': '1' } };
  assert(hold(canary, { headers: ['Host', 'a', 'X-Canary', '1'] }));
  assert(!hold(canary, { headers: ['X-Canary', '2'] }));
  assert(!hold(canary, { headers: ['X-Canary[', '1', 'X-CANAR', '1'] }));
  assert(!hold(canary, { headers: ['a', 'X-Canary', '1', 'b'] }), 'a value is no name');
  assert(!hold(canary, { headers: [] }));
  assert(!hold(canary, { headers: ['x-canary', '1', 'x-canary', '2'] }), 'the value is "1, 2"');
  assert(hold({ headers: { 'x-canary': '1, 2' } }, { headers: ['x-canary', '1', 'X-CANARY', '2'] }));
  assert(
    hold({ headers: { cookie: 'a=1; b=2' } }, { headers: ['cookie', 'a=1', 'cookie', 'b=2'] }),
    'HTTP/2 splits cookies',
  );
  assert(hold({ headers: { accept: '~.*json.*' } }, { headers: ['Accept', 'text/html, application/json'] }));
  assert(hold({ headers: { x: '+' } }, { headers: ['X', ''] }), 'an empty field is present');
  assert(!hold({ headers: { x: '+' } }, { headers: [] }));
  assert(hold({ headers: { x: '-' } }, { headers: ['y', '1'] }));
  assert(!hold({ headers: { x: '-' } }, { headers: ['X', ''] }));
});

test('query parameters are compared decoded, and the first of a name counts', () => {
  const v2 = { query: { v: '2' } };
  for (const query of ['?v=2', '?a=1&v=2', '?v=2&v=3', '?%76=%32', '?&&v=2&'])
    assert(hold(v2, { query }), query);
  for (const query of ['', '?', '?v', '?v=', '?v=3&v=2', '?vv=2', '?V=2', '?v=22', '?a=v=2', '?v%3D2']) {
    assert(!hold(v2, { query }), query);
  }
  assert(hold({ query: { v: '+' } }, { query: '?a&v' }), 'a name alone is present');
  assert(!hold({ query: { v: '-' } }, { query: '?v' }));
  assert(hold({ query: { v: '-' } }, { query: '?w' }));
  assert(hold({ query: { q: 'a b' } }, { query: '?q=a+b' }));
  assert(hold({ query: { 'a b': '1' } }, { query: '?a%20b=1' }));
  assert(hold({ query: { 'a+b': '1' } }, { query: '?a%2Bb=1' }));
  assert(!hold({ query: { 'a+b': '1' } }, { query: '?a+b=1' }), 'a bare + is a space');
  assert(hold({ query: { q: 'x=y' } }, { query: '?q=x=y' }));
  assert(hold({ query: { q: '~\\d+' } }, { query: '?q=%31%32' }));
  assert(hold({ query: { q: '+' } }, { query: '?q=%FF%zz' }), 'broken escapes break nothing');
});

test('the first condition that fails is named, with what the route requires and never with what the client sent', () => {
  const conditions = buildConditions(
    matchOf({
      methods: ['GET', 'PUT'],
      headers: { a: '1', b: '~x+', c: '+', d: '-' },
      query: { q: '2', r: '+' },
    }),
  );
  const good = ['a', '1', 'b', 'x', 'c', 'secret'];
  const cases: [Parameters<typeof requestOf>[0], string][] = [
    [{ method: 'POST' }, 'method is POST, the route requires GET or PUT'],
    [{ headers: ['a', 'secret'] }, 'header a is not "1"'],
    [{}, 'header a is missing, the route requires "1"'],
    [{ headers: ['a', '1', 'b', 'secret'] }, 'header b is not a match of x+'],
    [{ headers: ['a', '1', 'b', 'x'] }, 'header c is missing'],
    [{ headers: [...good, 'd', 'secret'] }, 'header d is present, the route requires it absent'],
    [{ headers: good, query: '?q=3' }, 'query parameter q is not "2"'],
    [{ headers: good, query: '?q=2' }, 'query parameter r is missing'],
  ];
  for (const [sketch, reason] of cases) {
    const request = requestOf(sketch);
    assert.equal(describeBroken(conditions, firstBroken(conditions, request), request), reason);
  }
  assert.equal(firstBroken(conditions, requestOf({ headers: good, query: '?r&q=2' })), -1);
});
