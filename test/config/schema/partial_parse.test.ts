import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartialParse } from '../../../src/config/schema/partial_parse.ts';
import { configSchema } from '../../../src/config/schema/schema.ts';
import { messagesOf } from '../config_text.ts';

function value() {
  return {
    version: 1,
    listeners: { main: { address: 'x', limits: { headBytes: 'x' } } },
    routes: [{ name: 'a', match: { hosts: ['x', ':'] } }, 5],
    clusters: { app: { endpoints: [] } },
  };
}

test('only the setting that is wrong is taken out', () => {
  const partial = new PartialParse(value());
  partial.cut(['routes', 0, 'match', 'hosts', 1]);
  assert.deepEqual((partial.value as ReturnType<typeof value>).routes[0], { name: 'a' });
  assert.ok(partial.isLost(['routes', 0, 'match']));
  assert.ok(partial.isLost(['routes', 0, 'match', 'path']), 'and all that is in it');
  assert.ok(partial.isLost(['routes', 0]), 'and what holds it is not whole');
  assert.ok(!partial.isLost(['routes', 0, 'name']));
});

test('what must be there is replaced by something that means nothing', () => {
  const partial = new PartialParse(value());
  for (const path of [
    ['listeners', 'main', 'address'],
    ['listeners', 'main', 'limits', 'headBytes'],
    ['routes', 0, 'match'],
    ['routes', 1],
    ['clusters', 'app', 'endpoints'],
  ])
    partial.cut(path);
  assert.ok(configSchema.safeParse(partial.value).success);
  const whole = new PartialParse({ version: 2, listeners: 1, routes: 2 });
  for (const key of ['version', 'listeners', 'routes']) whole.cut([key]);
  assert.ok(configSchema.safeParse(whole.value).success);
});

test('the places of other items do not move', () => {
  const partial = new PartialParse({ routes: [1, { name: 'b' }] });
  partial.cut(['routes', 0]);
  assert.deepEqual((partial.value as { routes: unknown[] }).routes[1], { name: 'b' });
});

test('a mistake of one kind does not hide those of another kind', () => {
  const messages = messagesOf({
    listeners: '{ main: { address: 127.0.0.1:8080, limits: { headBytes: 1 } } }',
    routes:
      '[{ name: a, forward: { cluster: ap } }, { name: a, match: { path: { prefix: / } }, respond: { status: 200 } }]',
  });
  for (const part of [
    'a size needs a unit',
    'cluster "ap"',
    'name "a" is already used',
    'is ambiguous with',
  ]) {
    assert.ok(
      messages.some(message => message.includes(part)),
      `${part} in\n${messages.join('\n')}`,
    );
  }
});

test('nothing is concluded from what was taken out', () => {
  assert.equal(
    messagesOf({ routes: '[{ name: a, forwad: { cluster: app } }]' }).length,
    1,
    'not: the route does nothing',
  );
  assert.equal(messagesOf({ clusters: '{ app: 5 }' }).length, 1, 'not: the cluster does not exist');
  assert.equal(
    messagesOf({
      clusters: '{ "a b": { endpoints: [127.0.0.1:1] } }',
      routes: '[{ name: a, forward: { cluster: a b } }]',
    }).length,
    1,
  );
  assert.equal(messagesOf({ clusters: '5' }).length, 1);
  assert.equal(
    messagesOf({
      routes: '[{ name: a, match: 5, respond: { status: 200 } }, { name: b, respond: { status: 200 } }]',
    }).length,
    1,
    'not: a tie',
  );
  assert.equal(
    messagesOf({ clusters: '{ app: { endpoints: [127.0.0.1:1], protocol: http2, tls: 5 } }' }).length,
    1,
    'not: http2 needs tls',
  );
});
