import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BasicAuth,
  basicChallenge,
  type LoginVerdict,
  parseCredentials,
} from '../../src/security/basic_auth.ts';
import type {
  PasswordChecks,
  PasswordQuestion,
  PasswordVerdict,
} from '../../src/security/password_checks.ts';

const encoded = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

/** With checks that give this verdict. */
function start(verdict: PasswordVerdict = 'right') {
  const asked: PasswordQuestion[] = [];
  const checks = {
    check(question: PasswordQuestion, onVerdict: (verdict: PasswordVerdict) => void) {
      asked.push(question);
      onVerdict(verdict);
      return () => {};
    },
  } as unknown as PasswordChecks;
  const users = ['alice', 'bob'].map(name => ({ name, passwordHash: `hash of ${name}` }));
  const auth = new BasicAuth({ realm: 'r', users, forwardAuthorization: false }, checks);
  const check = (field: string | null) => {
    let got: LoginVerdict | null = null;
    auth.check(field === null ? [] : ['authorization', field], '2001:db8::1', said => {
      got = said;
    });
    return got as LoginVerdict | null;
  };
  return { asked, check };
}

test('name and password are the text before and after the first colon, in UTF-8', () => {
  assert.deepEqual(parseCredentials(encoded('alice:pa:ss')), { name: 'alice', password: 'pa:ss' });
  assert.deepEqual(
    parseCredentials('Basic dGVzdDoxMjPCow=='),
    { name: 'test', password: '123£' },
    'RFC 7617 section 2.1',
  );
  assert.deepEqual(parseCredentials('basic   QWxhZGRpbjpvcGVuIHNlc2FtZQ'), {
    name: 'Aladdin',
    password: 'open sesame',
  });
  for (const bad of [
    null,
    '',
    'Basic',
    'Basic ',
    `Bearer ${encoded('a:b')}`,
    encoded('alice'),
    'Basic a:b',
    encoded('a:b').replace('Basic ', 'Basic'),
    `${encoded('a:b')}, ${encoded('a:b')}`,
    encoded(`a:${'x'.repeat(2_000)}`),
  ])
    assert.equal(parseCredentials(bad), null, String(bad));
});

test('a verdict has the name of the user, and distinguishes refused logins from those that could not be checked', () => {
  assert.deepEqual(start().check(encoded('alice:x')), { kind: 'user', name: 'alice' });
  assert.deepEqual(start('wrong').check(encoded('alice:x')), { kind: 'refused' });
  for (const verdict of ['overloaded', 'failed'] as const)
    assert.deepEqual(start(verdict).check(encoded('alice:x')), { kind: verdict });
});

test('without credentials nothing is checked', () => {
  const { asked, check } = start();
  assert.deepEqual(check(null), { kind: 'refused' });
  assert.deepEqual(check('Bearer x'), { kind: 'refused' });
  assert.equal(asked.length, 0);
});

test('an unknown name costs the same check as a known one, always the same for one name', () => {
  const { asked, check } = start('wrong');
  for (const name of ['alice', 'nobody', 'nobody', '', 'constructor']) check(encoded(`${name}:x`));
  assert.deepEqual(
    asked.map(({ isDecoy }) => isDecoy),
    [false, true, true, true, true],
  );
  assert.equal(asked[1]?.passwordHash, asked[2]?.passwordHash);
  assert.match(asked[1]?.passwordHash ?? '', /^hash of (?:alice|bob)$/);
  assert.equal(asked[0]?.client, '2001:db8:0:0::/64');
});

test('the challenge quotes the realm, and says that names and passwords are UTF-8', () => {
  assert.equal(basicChallenge('a "b" \\'), 'Basic realm="a \\"b\\" \\\\", charset="UTF-8"');
});
