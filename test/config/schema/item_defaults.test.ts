import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INHERITED_KEYS, itemDefaults } from '../../../src/config/schema/item_defaults.ts';
import { assertOnly, messagesOf } from '../config_text.ts';

test('what says which item it is cannot be a default, and the message says where it belongs', () => {
  for (const [kind, keys] of [
    ['routes', ['name', 'match', 'forward', 'redirect', 'respond', 'rewrite']],
    ['clusters', ['endpoints']],
    ['listeners', ['address']],
  ] as const)
    for (const key of keys) {
      const item = kind.slice(0, -1);
      assertOnly(
        { top: `defaults: { ${kind}: { ${key}: x } }` },
        new RegExp(`^"${key}" belongs to one ${item} and cannot be a default; write it in each ${item}$`),
      );
      assert.ok(!INHERITED_KEYS[kind].has(key));
    }
});

test('maintenance for all routes has its own place', () => {
  assertOnly({ top: 'defaults: { routes: { maintenance: on } }' }, /write it at the top level$/);
});

test('a key that no item has is unknown, with the one that was meant', () => {
  assert.deepEqual(messagesOf({ top: 'defaults: { routes: { timeuots: {} } }' }), [
    'unknown key "timeuots" in defaults.routes',
  ]);
  assert.deepEqual(messagesOf({ top: 'defaults: { stores: {} }' }), ['unknown key "stores" in defaults']);
});

test('every key of a default may be left out', () => {
  for (const kind of ['routes', 'clusters', 'listeners'] as const)
    assert.ok(itemDefaults.safeParse({ [kind]: {} }).success, kind);
  assert.ok(
    itemDefaults.safeParse({ listeners: { tls: {}, proxyProtocol: {} }, routes: { basicAuth: {} } }).success,
  );
});
