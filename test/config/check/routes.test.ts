import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertOnly, loadedFrom, messagesOf, problemsOf } from '../config_text.ts';

const route = (rest: string): { routes: string } => ({ routes: `[{ name: all, ${rest} }]` });

test('a route does exactly one thing', () => {
  assertOnly(route('match: {}'), /route all has no action/);
  assertOnly(
    route('forward: { cluster: app }, respond: { status: 200 }'),
    /has forward and respond; only one is allowed/,
  );
  assertOnly(route('forward: {}'), /needs cluster or split/);
  assertOnly(
    route('forward: { cluster: app, split: [{ cluster: app, weight: 1 }] }'),
    /has cluster and split/,
  );
});

test('a reference to nothing is found, with what was probably meant', () => {
  const [problem] = problemsOf(route('forward: { cluster: ap }'));
  assert.match(problem?.message ?? '', /cluster "ap", which does not exist/);
  assert.equal(problem?.hint, 'did you mean "app"?');
  assert.equal(problem?.path, 'routes.all.forward.cluster');
  assertOnly(route('forward: { cluster: constructor }'), /"constructor", which does not exist/);
  assertOnly(
    route('listeners: [man], forward: { cluster: app }'),
    /names listener "man", which does not exist/,
  );
});

test('a split needs a weight', () => {
  assertOnly(route('forward: { split: [{ cluster: app, weight: 0 }] }'), /all weights of route all are 0/);
  loadedFrom(route('forward: { split: [{ cluster: app, weight: 0 }, { cluster: app, weight: 1 }] }'));
});

test('a name is taken once', () => {
  assertOnly(
    {
      routes:
        '[{ name: a, forward: { cluster: app } }, { name: a, match: { path: { prefix: /b } }, forward: { cluster: app } }]',
    },
    /the route name "a" is already used on line 4/,
  );
});

test('settings without an effect are refused, because someone relies on them', () => {
  for (const key of [
    'rewrite: { host: a }',
    'retries: { attempts: 1 }',
    'timeouts: { request: 1s }',
    'headers: { request: { remove: [a] } }',
  ]) {
    assertOnly(route(`respond: { status: 200 }, ${key}`), /has no effect; remove it/);
  }
  assertOnly(route('respond: { status: 204, body: a }'), /a response with status 204 cannot have a body/);
  assertOnly(
    route('forward: { cluster: app }, rewrite: { replacePath: /a, addPrefix: /b }'),
    /addPrefix would have no effect/,
  );
  loadedFrom(route('respond: { status: 200 }, headers: { response: { remove: [server] } }'));
});

test('a replacement can only use groups that its pattern has', () => {
  assertOnly(
    route('forward: { cluster: app }, rewrite: { regex: { pattern: "/(a)", with: "/$2" } }'),
    /\$2, but the number of groups in the pattern is 1/,
  );
  loadedFrom(route('forward: { cluster: app }, rewrite: { regex: { pattern: "/(a)", with: "/$1" } }'));
});

test('the same field in another case is the same field', () => {
  assertOnly(
    route('forward: { cluster: app }, headers: { request: { set: { X-A: "1", x-a: "2" } } }'),
    /"x-a" and "X-A" are the same field/,
  );
  assert.deepEqual(
    messagesOf(
      route('forward: { cluster: app }, headers: { request: { set: { X-A: "1" }, add: { x-a: "2" } } }'),
    ),
    [],
  );
});
