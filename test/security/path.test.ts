import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeUnreserved, normalisePath, type PathRules } from '../../src/security/path.ts';

const REJECT: PathRules = {
  dotSegments: 'reject',
  encodedSlash: 'keep',
  slashes: 'keep',
  semicolons: 'keep',
};
const RESOLVE: PathRules = {
  dotSegments: 'resolve',
  encodedSlash: 'keep',
  slashes: 'keep',
  semicolons: 'keep',
};

function refusal(path: string, rules: PathRules): string | null {
  const result = normalisePath(path, rules);
  return typeof result === 'string' ? null : result.kind;
}

test('paths that mean the same are matched alike', () => {
  const same: readonly (readonly [string, string])[] = [
    ['/', '/'],
    ['/api/v1', '/api/v1'],
    ['/%61pi', '/api'],
    ['/%7Euser/%2d%5F%2e%41', '/~user/-_.A'],
    ['/a%2fb%c3%a9', '/a%2Fb%C3%A9'],
    ['/\xc3\xa9', '/%C3%A9'],
    ['/a/./b/.', '/a/b/'],
    ['/.well-known/x', '/.well-known/x'],
    ['/..a/b../...', '/..a/b../...'],
  ];
  for (const [raw, normal] of same) {
    assert.equal(normalisePath(raw, REJECT), normal, raw);
    assert.equal(normalisePath(raw, RESOLVE), normal, raw);
  }
});

test('a path without another spelling stays as it is', () => {
  for (const path of ['//a///b', '/%zz', '/%', '/%4', '/a%25b', '/a\\b', '/{x}|y', '/A', '/a;v=1']) {
    assert.equal(normalisePath(path, REJECT), path);
  }
});

test('a path is decoded once, whatever it was made to look like', () => {
  assert.equal(decodeUnreserved('/%2561'), '/%2561');
  assert.equal(decodeUnreserved('/%%341'), '/%%341', 'would become %41, which is A');
  assert.equal(decodeUnreserved('/%%32e%%32e/'), '/%%32e%%32e/');
  assert.equal(decodeUnreserved('/%4%31'), '/%4%31');
  assert.equal(decodeUnreserved('/%41%42'), '/AB', 'two whole escapes are no broken one');
});

test('a path that climbs is refused, however it is written', () => {
  const climbing = [
    '/..',
    '/../a',
    '/a/..',
    '/a/../b',
    '/%2e%2e/a',
    '/.%2E/a',
    '/%2e./a',
    '/a/%2E%2e',
    '/a/..;x/b',
    '/a/..%3bx',
    '/a\\..\\b',
    '/..\\a',
    '/a%2f..%2fb',
    '/a/..%2Fb',
    '/a/%2e%2e%5cb',
  ];
  for (const path of climbing) assert.equal(refusal(path, REJECT), 'bad_request', path);
});

test('a rule lets a path climb, but never above the root', () => {
  assert.equal(normalisePath('/a/../b', RESOLVE), '/b');
  assert.equal(normalisePath('/a/b/%2e%2e', RESOLVE), '/a/');
  assert.equal(normalisePath('/a/..', RESOLVE), '/');
  assert.equal(normalisePath('/a//../b', RESOLVE), '/a/b', 'RFC 3986 section 5.2.4: an empty segment is one');
  for (const path of ['/..', '/../a', '/a/../../b', '/./..'])
    assert.equal(refusal(path, RESOLVE), 'bad_request', path);
});

test('a path that climbs only for some backends is refused under either rule', () => {
  for (const path of ['/a/..;x/b', '/a\\..\\b', '/a/..%2fb', '/a%5c..', '/a/b/../..%2fc']) {
    assert.equal(refusal(path, RESOLVE), 'bad_request', path);
  }
});

test('an encoded NUL is refused', () => {
  for (const path of ['/%00', '/a%00.png']) assert.equal(refusal(path, RESOLVE), 'bad_request', path);
  assert.equal(refusal('/%2500', RESOLVE), null);
});

test('an encoded slash is kept or refused, as the rule says', () => {
  const rejecting: PathRules = {
    dotSegments: 'reject',
    encodedSlash: 'reject',
    slashes: 'keep',
    semicolons: 'keep',
  };
  for (const path of ['/a%2fb', '/a%2Fb']) {
    assert.equal(normalisePath(path, REJECT), '/a%2Fb');
    assert.equal(refusal(path, rejecting), 'bad_request');
  }
  assert.equal(refusal('/a%252Fb', rejecting), null, 'that is an encoded percent sign');
});

test('a long hostile path costs time in proportion to its length', () => {
  for (const piece of ['/.', '/..a', '%2e%2e', '%%3', '/a/..;', '\\..', '%2f.']) {
    const path = `/${piece.repeat(20_000)}`;
    const startedAt = process.hrtime.bigint();
    normalisePath(path, REJECT);
    normalisePath(path, RESOLVE);
    const elapsedMs = Number(process.hrtime.bigint() - startedAt) / 1e6;
    assert(elapsedMs < 500, `${piece}: ${elapsedMs} ms for ${path.length} bytes`);
  }
});

test('slashes and semicolons are kept, folded for matching or refused, as the listener says', () => {
  const rules = (slashes: PathRules['slashes'], semicolons: PathRules['semicolons']): PathRules => ({
    ...REJECT,
    slashes,
    semicolons,
  });
  assert.equal(normalisePath('//admin;v=1/x', rules('keep', 'keep')), '//admin;v=1/x');
  assert.equal(normalisePath('//admin//x', rules('fold', 'keep')), '/admin/x');
  assert.equal(normalisePath('/admin;v=1/x;', rules('keep', 'fold')), '/admin/x');
  assert.equal(normalisePath('/;a/admin', rules('fold', 'fold')), '/admin', 'an empty segment comes of it');
  for (const [path, refusing] of [
    ['//admin', rules('reject', 'keep')],
    ['/admin;x', rules('keep', 'reject')],
    ['/a/..;x/admin', rules('keep', 'fold')],
  ] as const)
    assert.notEqual(typeof normalisePath(path, refusing), 'string', path);
});
