import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseHtpasswd } from '../../src/security/htpasswd.ts';
import { isPassword } from '../../src/security/password_worker.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const { users } = parseHtpasswd(readFileSync(join(ROOT, 'test/support/users/users.htpasswd'), 'utf8'));
const PASSWORDS: Readonly<Record<string, string>> = {
  alice: 'open sesame',
  carol: 'pässword',
  dave: 'pa:ss',
  eve: 'slow',
  frank: 'demo',
};

test('each kind of hash knows its password, and no other', () => {
  for (const { name, passwordHash } of users) {
    const password = PASSWORDS[name] ?? '';
    assert.equal(isPassword(passwordHash, password), true, name);
    for (const other of ['', `${password} `, password.slice(1), password.toUpperCase()])
      assert.equal(isPassword(passwordHash, other), false, `${name}: ${other}`);
  }
});

// From RFC 7914 section 12 and RFC 9106 section 5.3 (without secret and data): other programs made these.
test('scrypt is that of the RFC', () => {
  const digest = Buffer.from(
    'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
    'hex',
  );
  const hash = `$scrypt$ln=10,r=8,p=16$${base64('NaCl  ..')}$${base64(digest)}`;
  assert.equal(isPassword(hash, 'password'), false, 'another salt');
  const short = Buffer.from('SodiumChloride');
  const expected = Buffer.from(
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
    'hex',
  );
  assert.equal(
    isPassword(`$scrypt$ln=14,r=8,p=1$${base64(short)}$${base64(expected)}`, 'pleaseletmein'),
    true,
  );
});

function base64(bytes: Buffer | string): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
