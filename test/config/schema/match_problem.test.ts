import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  hostProblem,
  pathProblem,
  regexProblem,
  templatePathProblem,
} from '../../../src/config/schema/match_problem.ts';

type Cases = readonly (readonly [text: string, says: string])[];

function assertSays(problemOf: (text: string) => string | null, cases: Cases): void {
  for (const [text, says] of cases) assert.equal(problemOf(text), says, text);
}

test('a host that is written like elsewhere gets the line to write', () => {
  assertSays(hostProblem, [
    ['*', '"*" is not a host name; to match every host, remove hosts'],
    ['https://a.com', '"https://a.com" is a URL; write its host, a.com'],
    ['https://a.com/x', '"https://a.com/x" is a URL; write its host, a.com'],
    ['a.com/x', '"a.com/x" has a path; write a.com, and path: { prefix: /x } beside hosts'],
    ['a.com:443', 'hosts are matched without a port; write a.com'],
    ['*.a.com:443', 'hosts are matched without a port; write "*.a.com"'],
    ['[::1]:80', 'hosts are matched without a port; write "[::1]"'],
    [':80', 'hosts are matched without a port; remove it'],
    ['.a.com', '".a.com" is not a host name; write a.com and "*.a.com"'],
    ['a.com.', '"a.com." is not a host name; write a.com'],
    ['a.com b.com', '"a.com b.com" is not a host name; write each name as its own item of the list'],
    [
      '~^www\\.',
      '"~^www\\." is not a host name; hosts are not regular expressions; write each name, or "*.name" for every name below it',
    ],
    ['{sub}.a.com', '"{sub}.a.com" is not a host name; write "*.a.com"'],
    ['bücher.example', '"bücher.example" is not a host name; write it in ASCII: xn--bcher-kva.example'],
    ['api.*', '"api.*" is not a host name; a wildcard is written "*.name"'],
  ]);
  for (const good of ['a.com', '*.a.com', '[::1]', 'a_b']) assert.equal(hostProblem(good), null, good);
});

test('so does a path', () => {
  assertSays(pathProblem, [
    ['api', 'a path must begin with /; write /api'],
    ['^/api', 'a path must begin with /; a regular expression is written path: { regex: REGEX }'],
    ['https://a/b', 'a path must begin with /, without scheme and host'],
    ['', 'a path must begin with /'],
    ['/a/../b', 'a path with the segment . or .. can never match'],
    ['/a?b', 'a path cannot contain ?, #, spaces or control characters'],
  ]);
  assert.equal(pathProblem('/a'), null);
});

test('so does a template', () => {
  assertSays(templatePathProblem, [
    ['/api/*', 'the segment "*" must be literal text, {name} or **; write /api/**'],
    ['/*/api', 'the segment "*" must be literal text, {name} or **; write /{name}/api'],
    ['/u/{id:[0-9]+}', 'the segment "{id:[0-9]+}" must be literal text, {name} or **; write /u/{id}'],
    ['/u/{rest...}', 'the segment "{rest...}" must be literal text, {name} or **; write /u/**'],
    ['/u/{*rest}', 'the segment "{*rest}" must be literal text, {name} or **; write /u/**'],
    ['/u/a{id}', 'the segment "a{id}" must be literal text, {name} or **'],
  ]);
  assert.equal(templatePathProblem('/u/{id}/**'), null);
});

test('classes of POSIX are refused, because a regex here would read them as single characters', () => {
  assertSays(regexProblem, [
    ['/[[:alpha:]]+', 'invalid regex: classes of POSIX such as [:alpha:] are not supported; write [A-Za-z]'],
    ['/[[:^digit:]]+', 'invalid regex: classes of POSIX such as [:^digit:] are not supported; write [^0-9]'],
    ['/[[:blank:]]', 'invalid regex: classes of POSIX such as [:blank:] are not supported'],
    ['/(a', 'invalid regex: missing ")"'],
  ]);
  assert.equal(regexProblem('/[a-z:]+'), null);
});
