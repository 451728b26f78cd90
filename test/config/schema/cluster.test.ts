import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterSchema } from '../../../src/config/schema/cluster.ts';

const accepts = (rest: object): boolean => clusterSchema.safeParse({ endpoints: ['a:1'], ...rest }).success;

test('an endpoint is an address that can be connected to, with or without a weight', () => {
  for (const endpoint of ['a:1', '[::1]:1', 'unix:/run/a', { address: 'a:1' }, { address: 'a:1', weight: 0 }])
    assert.ok(accepts({ endpoints: [endpoint] }), JSON.stringify(endpoint));
  for (const endpoint of [
    'a',
    'a:0',
    'fd:3',
    'http://a:1',
    5,
    null,
    {},
    { address: 'a:1', weight: -1 },
    { address: 'a:1', weight: 1.5 },
  ])
    assert.ok(!accepts({ endpoints: [endpoint] }), JSON.stringify(endpoint));
  assert.ok(!accepts({ endpoints: [] }));
});

test('a range of statuses has a beginning and an end', () => {
  const expect = (value: unknown): unknown =>
    clusterSchema.parse({ endpoints: ['a:1'], health: { active: { path: '/', expect: value } } }).health
      ?.active;
  assert.deepEqual(expect('200-204'), { path: '/', expect: { min: 200, max: 204 } });
  assert.deepEqual(expect(204), { path: '/', expect: { min: 204, max: 204 } });
  for (const value of ['204-200', '200-', '2xx', 600, null, '200-399-500', ['200']])
    assert.ok(!accepts({ health: { active: { path: '/', expect: value } } }), String(value));
});

test('health checks are settings, or off', () => {
  for (const part of ['off', {}])
    assert.ok(accepts({ health: { active: part, passive: part } }), JSON.stringify(part));
  for (const part of ['on', true, 5, []])
    assert.ok(
      !accepts({ health: { active: part } }) && !accepts({ health: { passive: part } }),
      JSON.stringify(part),
    );
  assert.ok(!accepts({ health: { active: { tcp: false, path: '/' } } }), 'tcp: false would say nothing');
});

test('a server name is a name', () => {
  assert.ok(accepts({ tls: { serverName: 'a.example' } }));
  for (const serverName of ['a.example:443', '', '*.example', 'a b'])
    assert.ok(!accepts({ tls: { serverName } }), serverName);
});
