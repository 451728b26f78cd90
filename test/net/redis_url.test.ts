import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRedisUrl } from '../../src/net/redis_url.ts';

const PLAIN = {
  host: 'store.example',
  port: 6379,
  secure: false,
  username: null,
  password: null,
  database: 0,
};

test('host, port, user, password, database and TLS are read from the URL', () => {
  assert.deepEqual(parseRedisUrl('redis://store.example'), PLAIN);
  assert.deepEqual(parseRedisUrl('rediss://store.example:6380/'), { ...PLAIN, port: 6380, secure: true });
  assert.deepEqual(parseRedisUrl('redis://[::1]:7000/12'), {
    ...PLAIN,
    host: '::1',
    port: 7000,
    database: 12,
  });
  assert.deepEqual(parseRedisUrl('redis://:p%40ss%3A@store.example'), { ...PLAIN, password: 'p@ss:' });
  assert.deepEqual(parseRedisUrl('redis://edge:secret@store.example/3'), {
    ...PLAIN,
    username: 'edge',
    password: 'secret',
    database: 3,
  });
});

test('any other URL is refused with the reason, which does not contain the URL', () => {
  const bad: readonly (readonly [url: string, why: RegExp])[] = [
    ['store.example:6379', /not the URL of a Redis server/],
    ['http://secret@store.example', /not the URL/],
    ['redis://', /not the URL|host is missing/],
    ['redis://store.example/secret', /database must be a number/],
    ['redis://store.example/0?secret=1', /query/],
    ['redis://secret@store.example', /a user needs a password/],
    ['redis://:secret%zz@store.example', /percent-encoded/],
    ['redis://store.example:0', /port must be/],
    ['redis://store.example:99999', /not the URL/],
  ];
  for (const [url, why] of bad) {
    const problem = parseRedisUrl(url);
    assert.match(String(problem), why, url);
    assert.doesNotMatch(String(problem), /secret/);
  }
});
