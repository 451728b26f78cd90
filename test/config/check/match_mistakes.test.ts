import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertOnly, messagesOf, type Parts } from '../config_text.ts';

const path = (text: string): Parts => ({
  routes: `[{ name: a, match: { path: { ${text} } }, forward: app }]`,
});

test('a path that is read otherwise than it looks gets the line that was meant', () => {
  const cases: readonly (readonly [written: string, meant: string])[] = [
    ['prefix: /api/*', 'prefix /api/* of route a takes * literally; did you mean prefix: /api?'],
    ['prefix: /*', 'prefix /* of route a takes * literally; did you mean prefix: /?'],
    ['prefix: /api/.*', 'prefix /api/.* of route a takes * literally; did you mean prefix: /api?'],
    ['exact: /api/**', 'exact /api/** of route a takes * literally; did you mean prefix: /api?'],
    [
      'exact: "/u/{id}"',
      'exact /u/{id} of route a takes the braces literally; did you mean template: /u/{id}?',
    ],
    [
      'prefix: "/u/:id"',
      'prefix /u/:id of route a takes the colon literally; did you mean template: /u/{id}/**?',
    ],
    [
      'template: "/u/:id"',
      'template /u/:id of route a takes the colon literally; did you mean template: /u/{id}?',
    ],
    [
      'regex: ^/api',
      'regex ^/api of route a must match the whole path, so it matches /api alone; did you mean prefix: /api?',
    ],
    [
      'regex: /api/',
      'regex /api/ of route a must match the whole path, so it matches /api/ alone; did you mean prefix: /api?',
    ],
    ['regex: ^/api$', 'regex ^/api$ of route a matches one path; did you mean exact: /api?'],
    [
      "regex: '^/v[0-9]/x'",
      'regex ^/v[0-9]/x of route a must match the whole path, also without $ at the end; did you mean regex: /v[0-9]/x.*?',
    ],
  ];
  for (const [written, meant] of cases) assert.deepEqual(messagesOf(path(written)), [meant], written);
  assertOnly(path("regex: '\\.php$'"), /^route a can never match: .*; did you mean \/\.\*\\\.php\$\?$/);
  assertOnly(
    {
      routes:
        '[{ name: a, match: { path: { prefix: /api } }, rewrite: { stripPrefix: /api/* }, forward: app }]',
    },
    /takes \* literally; did you mean \/api\?/,
  );
});

test('paths that are as they look are left alone', () => {
  for (const fine of [
    'prefix: /api',
    'exact: /a.b',
    'template: "/u/{id}/**"',
    'regex: "/v[0-9]+/.*"',
    'regex: "^/v[0-9]+/x$"',
    'regex: "^/a/(b|c)"',
    'prefix: "/time/12:30"',
  ])
    assert.deepEqual(messagesOf(path(fine)), [], fine);
});
