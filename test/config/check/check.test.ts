import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messagesOf } from '../config_text.ts';

test('relations of every kind are found in one run', () => {
  const messages = messagesOf({
    listeners: '{ a: { address: 127.0.0.1:80 }, b: { address: 127.0.0.1:80 } }',
    routes: '[{ name: all, forward: { cluster: ap }, timeouts: { request: 1s, responseHead: 2s } }]',
    clusters: '{ app: { endpoints: [x:1, x:1] } }',
  });
  for (const part of [
    'has the same address as listener a',
    'cluster "ap"',
    'longer than its request timeout',
    'repeats endpoints[0]',
  ]) {
    assert.ok(
      messages.some(message => message.includes(part)),
      part,
    );
  }
});
