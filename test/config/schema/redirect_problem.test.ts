import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redirectTargetProblem } from '../../../src/config/schema/redirect_problem.ts';
import { assertOnly } from '../config_text.ts';

test('the placeholders of other proxies get ours', () => {
  const cases: readonly (readonly [to: string, write: string])[] = [
    ['https://$host$request_uri', 'https://{host}{path}{query}'],
    ['$scheme://$http_host$uri$is_args$args', 'https://{host}{path}{query}'],
    ['https://www.$host$request_uri', 'https://{host}{path}{query}'],
    ['https://x.example$uri?$args', 'https://x.example{path}{query}'],
    ['https://{host}{uri}', 'https://{host}{path}{query}'],
    ['https://{http.request.host}{http.request.uri}', 'https://{host}{path}{query}'],
    ['https://{host}{http.request.uri.path}', 'https://{host}{path}'],
    ['https://%[hdr(host)]%[path]', 'https://{host}{path}'],
    ['https://%{HTTP_HOST}%{REQUEST_URI}', 'https://{host}{path}'],
    ['/new$request_uri', '/new{path}{query}'],
  ];
  for (const [to, write] of cases) {
    const says = redirectTargetProblem(to) ?? '';
    if (to.includes('www.$host')) assert.match(says, /must be \{host\}|begin with/, to);
    else assert.equal(says, `the parts of the request are {host}, {path} and {query}; write "${write}"`);
  }
});

test('the question mark is part of {query}', () => {
  assert.equal(
    redirectTargetProblem('https://{host}{path}?{query}'),
    '{query} includes its question mark; write "https://{host}{path}{query}"',
  );
});

test('groups of a regex do not exist in a redirect', () => {
  for (const to of ['https://x.example/$1', `https://x.example/$${'{1}'}`, '/new/\\1', '/new/{re.a.1}'])
    assert.match(redirectTargetProblem(to) ?? '', /is a group of a regex, which a redirect does not have/);
  assertOnly(
    { routes: `[{ name: all, redirect: { to: "https://x.example/$$${'{1}'}" } }]`, clusters: '{}' },
    /is a group of a regex/,
  );
});

test('a name alone gets its scheme', () => {
  assert.match(redirectTargetProblem('www.example.com/x') ?? '', /; write "https:\/\/www\.example\.com\/x"$/);
  assert.match(redirectTargetProblem('{uri') ?? '', /./);
});

test('what is right passes', () => {
  for (const to of [
    'https://{host}{path}{query}',
    '/a?b={query}',
    '{path}',
    'https://x.example/a$b',
    '/price-in-$',
  ])
    assert.equal(redirectTargetProblem(to), null, to);
});
