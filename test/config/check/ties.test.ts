import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadedFrom, problemsOf } from '../config_text.ts';

function routes(...matches: string[]): string {
  return `[\n${matches.map((match, at) => `  { name: r${at}, match: { ${match} }, forward: { cluster: app } }`).join(',\n')} ]`;
}

test('a tie names both routes and both lines', () => {
  const [problem, ...others] = problemsOf({
    routes: routes('path: { prefix: /a }', 'path: { exact: /b }', 'path: { template: "/a/**" }'),
  });
  assert.equal(others.length, 0);
  assert.equal(problem?.line, 7);
  assert.equal(problem?.path, 'routes.r2.name');
  assert.match(
    problem?.message ?? '',
    /^route r2 is ambiguous with route r0 on line 5: both match template \/a\/\*\* on any host/,
  );
});

test('of many equal routes each is reported once, against the first', () => {
  const problems = problemsOf({
    routes: routes('path: { prefix: /a }', 'path: { prefix: /a }', 'path: { prefix: /a }'),
  });
  assert.deepEqual(
    problems.map(({ message }) => message.slice(0, 32)),
    ['route r1 is ambiguous with route', 'route r2 is ambiguous with route'],
  );
  assert.ok(problems.every(({ message }) => message.includes('route r0 on line 5')));
});

test('what one condition tells apart is no tie', () => {
  loadedFrom({
    routes: routes(
      'path: { prefix: /a }',
      'path: { prefix: /a }, methods: [GET]',
      'path: { prefix: /a }, methods: [POST]',
      'path: { prefix: /a }, hosts: [a.example]',
    ),
  });
});
