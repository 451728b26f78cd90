// What an operator may show to a colleague without showing a password.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isSecretName,
  secretValues,
  withoutSecretValues,
  withoutUserInfo,
} from '../../src/security/secrets.ts';

test('fields that carry secrets are known by their names', () => {
  for (const name of [
    'Authorization',
    'cookie',
    'X-Api-Key',
    'x-apikey',
    'X-Amz-Signature',
    'client_secret',
    'Auth-Token',
  ])
    assert.ok(isSecretName(name), name);
  for (const name of ['accept', 'x-request-id', 'content-type', 'keep-alive'])
    assert.ok(!isSecretName(name), name);
});

test('a URL is shown without user and password', () => {
  assert.equal(
    withoutUserInfo('https://user:pa@ss@collector:4318/v1?a=b@c'),
    'https://***@collector:4318/v1?a=b@c',
  );
  assert.equal(withoutUserInfo('http://collector:4318/a@b'), 'http://collector:4318/a@b');
});

test('a secret value is masked wherever it stands, the longest first, and short values are no secrets', () => {
  const secrets = secretValues(['abcdef', 'abcdefghi', '8080', 'abcdef']);
  assert.deepEqual(secrets, ['abcdefghi', 'abcdef']);
  const data = { a: 'Bearer abcdefghi', list: ['x', 'abcdef-abcdef'], port: 8080, text: '8080' };
  assert.deepEqual(withoutSecretValues(data, secrets), {
    a: 'Bearer ***',
    list: ['x', '***-***'],
    port: 8080,
    text: '8080',
  });
});
