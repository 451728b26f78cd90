import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMessage } from '../../../src/config/problems.ts';
import { type Parts, problemsOf, textOf } from '../config_text.ts';

/** Where the only problem is shown, and its hint. */
function hinted(source: string): string {
  const problems = problemsOf(source);
  assert.equal(problems.length, 1, problems.map(formatMessage).join('\n'));
  const [{ line, column, hint } = { line: 0, column: 0, hint: '' }] = problems;
  return `${source.split('\n')[line - 1]?.slice(column - 1, column + 3)} | ${hint}`;
}

const endpoints = (text: string): Parts => ({ clusters: `{ app: { endpoints: ${text} } }` });
const route = (text: string): Parts => ({ routes: `[{ name: all, ${text}, respond: { status: 200 } }]` });

test('text that YAML reads as something else gets the advice to quote it', () => {
  const cases: [Parts, string][] = [
    [endpoints('[[::1]:80]'), '[::1 | quote it: "[::1]:80"'],
    [endpoints('[10.0.0.1:80, [fe80::1]:80]'), '[fe8 | quote it: "[fe80::1]:80"'],
    [{ listeners: '{ main: { address: [::]:8443 } }' }, '[::] | quote it: "[::]:8443"'],
    [endpoints(`[$${'{B}'}]`), `$${'{B}'} | quote it: "$${'{B}'}"`],
    [endpoints(`[a:1, $${'{B}'}:80]`), `$${'{B}'} | quote it: "$${'{B}'}:80"`],
    [endpoints(`[$${'{B:-a:1}'}]`), `$${'{B:'} | quote it: "$${'{B:-a:1}'}"`],
    [{ listeners: `{ main: { address: $${'{P}'} } }` }, `$${'{P}'} | quote it: "$${'{P}'}"`],
    [route('match: { hosts: [*.app.com] }'), '*.ap | quote it: "*.app.com"'],
    [route('match: { hosts: ["a.com", *.b.com] }'), '*.b. | quote it: "*.b.com"'],
    [route('match: { path: { template: /api/{id} } }'), '/api | quote it: "/api/{id}"'],
    [route('match: { path: { regex: /a{2}/[0-9]+ } }'), '/a{2 | quote it: "/a{2}/[0-9]+"'],
    [
      { routes: '[{ name: a, redirect: { to: https://{host}{path} } }]' },
      'http | quote it: "https://{host}{path}"',
    ],
    [route('match: { headers: { x: @me } }'), '@me  | quote it: "@me"'],
  ];
  for (const [parts, expected] of cases) assert.equal(hinted(textOf(parts)), expected);
});

test('the same in blocks', () => {
  const top = 'version: 1\nroutes: []\nlisteners:\n  main:\n';
  assert.equal(hinted(`${top}    address: [::]:8443\n`), '[::] | quote it: "[::]:8443"');
  assert.equal(
    hinted(`${top}    address: a:1\n    trustedProxies:\n      - [::1]:80\n`),
    '[::1 | quote it: "[::1]:80"',
  );
  assert.equal(hinted(`${top}    address: a:1\n    b:\n      - *.a.com\n`), '*.a. | quote it: "*.a.com"');
  assert.equal(hinted(`${top}    address: a:1\n    b: {host}{path}\n`), '{hos | quote it: "{host}{path}"');
});

test('what is quoted or in a comment is not accused', () => {
  const quoted = endpoints(`["$${'{B}'}:80", '[::1]:80', a b: c: d] # [::1]:80`);
  const [problem] = problemsOf(quoted);
  assert.match(problem?.message ?? '', /^invalid YAML/);
  assert.equal(problem?.hint, undefined);
});

test('a backslash in double quotes is explained', () => {
  assert.match(hinted(textOf(route('match: { path: { regex: "/a\\.php" } }'))), /single quotes/);
});

test('of a very long line only the surroundings are searched', () => {
  const source = `{ a: $${'{A}'}, b: ${'x'.repeat(3_000_000)} }`;
  assert.equal(hinted(source), `$${'{A}'} | quote it: "$${'{A}'}"`);
  const far = `{ a: [${'x, '.repeat(1_000_000)} $${'{A}'}] }`;
  assert.equal(problemsOf(far)[0]?.hint, `quote it: "$${'{A}'}"`);
});
