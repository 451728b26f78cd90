import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildPathPattern,
  normalizePathLiteral,
  parseTemplate,
  pathMatches,
  shapeOf,
  templateProblem,
} from '../../src/routing/pattern.ts';
import { decodeUnreserved } from '../../src/security/path.ts';
import { pathOf } from './route_builder.ts';

test('each kind of path condition takes what it should, and not its neighbours', () => {
  const cases: [path: string, taken: string[], refused: string[]][] = [
    ['=/a/b', ['/a/b'], ['/a/b/', '/a', '/a/b/c', '/A/b']],
    ['=/', ['/'], ['/a', '//', '*']],
    ['/api', ['/api', '/api/', '/api/x', '/api//'], ['/apiv2', '/ap', '/', '/x/api', '/API']],
    ['/', ['/', '/a', '//', '*'], []],
    ['/users/{id}', ['/users/1', '/users/%2F'], ['/users', '/users/', '/users/1/', '/users/1/x']],
    ['/users/{id}/**', ['/users/1', '/users/1/', '/users/1/x/y'], ['/users/', '/users']],
    ['/{a}/x/{b}', ['/1/x/2'], ['/1/y/2', '//x/2']],
    ['/**', ['/', '/a/b', '*'], []],
    ['~/v[0-9]+(/.*)?', ['/v1', '/v22/x'], ['/v', '/v1x', '*']],
    ['~.*', ['/', '/a'], ['*']],
  ];
  for (const [path, taken, refused] of cases) {
    const pattern = buildPathPattern(pathOf(path));
    for (const text of taken) assert.equal(pathMatches(pattern, text), true, `${path} takes ${text}`);
    for (const text of refused)
      assert.equal(pathMatches(pattern, text), false, `${path} does not take ${text}`);
  }
});

test('a text that is not a template is refused with the reason', () => {
  assert.equal(templateProblem('/users/{id}/**'), null);
  const refused: [text: string, reason: RegExp][] = [
    ['users', /must begin with/],
    ['', /must begin with/],
    ['/a/**/b', /last segment/],
    ['/a/{id}.json', /must be literal text/],
    ['/a/{}', /must be literal text/],
    ['/a/{1}', /must be literal text/],
    ['/a/*', /must be literal text/],
    ['/a/{id', /must be literal text/],
  ];
  for (const [text, reason] of refused) {
    assert.match(String(parseTemplate(text)), reason, text);
    assert.match(String(templateProblem(text)), reason, text);
  }
});

test('an operator may write a path in any of its spellings', () => {
  const cases: [written: string, normal: string][] = [
    ['/%7euser/%41', '/~user/A'],
    ['/a%2fb', '/a%2Fb'],
    ['/stra\u00dfe', '/stra%C3%9Fe'],
    ['/a b', '/a%20b'],
    ['/%', '/%'],
    ['/\ud800', '/%EF%BF%BD'], // half of a surrogate pair
  ];
  for (const [written, normal] of cases) {
    assert.equal(normalizePathLiteral(written), normal);
    assert.equal(normalizePathLiteral(normal), normal, 'a second time changes nothing');
    assert.equal(decodeUnreserved(normal), normal, 'it is what security makes of the same path in a request');
  }
  assert.equal(pathMatches(buildPathPattern({ kind: 'prefix', value: '/%61pi' }), '/api/x'), true);
  assert.equal(
    pathMatches(buildPathPattern({ kind: 'template', value: '/caf\u00e9/{id}' }), '/caf%C3%A9/1'),
    true,
  );
});

test('patterns that match the same paths have the same shape, whatever they are called', () => {
  const shape = (path: string) => shapeOf(buildPathPattern(pathOf(path)));
  assert.equal(shape('/users/{id}'), shape('/users/{name}'));
  assert.equal(shape('/users'), shape('/users/**'));
  assert.equal(shapeOf(buildPathPattern({ kind: 'template', value: '/users' })), shape('=/users'));
  assert.notEqual(shape('=/users'), shape('/users'));
  assert.notEqual(shape('=/users/'), shape('=/users'));
  assert.notEqual(
    shape('/users/{id}'),
    shapeOf(buildPathPattern({ kind: 'exact', value: '/users/{}' })),
    'braces may be text',
  );
});
