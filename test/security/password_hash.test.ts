import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePasswordHash } from '../../src/security/password_hash.ts';

const BCRYPT = '$2y$05$AbO6JwgAPxDki9oJJ2Gq7uWlWptkvDEpqlIQ6LkujLIWDRwH4JxUC';
const ARGON2 =
  '$argon2id$v=19$m=1024,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$xKz5XRRBU1r7wkQvxO3qThwQKi6c4QYJczmV6HKegZ0';
const SCRYPT = '$scrypt$ln=10,r=8,p=1$c29tZXNhbHRzb21lc2FsdA$7o7uWYxSMNk1AsH6dZrCnChL6St6+Wz6XhA8MpElzFg';

const kind = (text: string) => {
  const parsed = parsePasswordHash(text);
  return typeof parsed === 'string' ? parsed : parsed.kind;
};

test('bcrypt of each version, argon2id and scrypt are taken', () => {
  for (const version of ['a', 'b', 'y']) assert.equal(kind(BCRYPT.replace('2y', `2${version}`)), 'bcrypt');
  const argon2 = parsePasswordHash(ARGON2);
  assert(typeof argon2 !== 'string' && argon2.kind === 'argon2id');
  assert.deepEqual(
    [argon2.memoryKiB, argon2.passes, argon2.parallelism, argon2.salt.length, argon2.digest.length],
    [1024, 2, 1, 16, 32],
  );
  const scrypt = parsePasswordHash(SCRYPT);
  assert(typeof scrypt !== 'string' && scrypt.kind === 'scrypt');
  assert.deepEqual(
    [scrypt.cost, scrypt.blockSize, scrypt.parallelization, scrypt.digest.length],
    [1024, 8, 1, 32],
  );
});

test('hashes that are too fast are refused by name, with what to do, and are not repeated', () => {
  const weak = [
    ['$apr1$PRjzb10a$fNjRFoXgjriHpwVnfdpz7.', /MD5 \(apr1\)/],
    ['$1$PRjzb10a$fNjRFoXgjriHpwVnfdpz7.', /MD5 \(crypt\)/],
    ['{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=', /SHA-1/],
    ['{SSHA}EfatjsUqKYSrqv18O1FlA3hcIHI=', /SHA-1/],
    ['$6$6hzfpw5m1Cp5MHiG$SjDMYOEO', /SHA-2/],
    ['$5$6hzfpw5m1Cp5MHiG$SjDMYOEO', /SHA-2/],
    ['q6mTtsFgTBUbs', /DES/],
    ['open sesame', /not hashed/],
    ['', /not hashed/],
  ] as const;
  for (const [text, why] of weak) {
    const problem = kind(text);
    assert.match(problem, why);
    assert.match(problem, /htpasswd -B FILE USER/);
    if (text !== '') assert.ok(!problem.includes(text), 'it may be the password itself');
  }
});

test('hashes that take minutes or gigabytes for each login are refused', () => {
  assert.match(kind(BCRYPT.replace('$05$', '$15$')), /cost 15 takes too long/);
  assert.match(kind(ARGON2.replace('m=1024', 'm=999999999')), /at most m=262144/);
  assert.match(kind(ARGON2.replace('t=2', 't=99')), /at most/);
  assert.match(kind(SCRYPT.replace('ln=10', 'ln=30')), /at most 256 MiB/);
  assert.match(kind(SCRYPT.replace('p=1', 'p=99')), /p=16/);
  assert.equal(kind(BCRYPT.replace('$05$', '$14$')), 'bcrypt');
  assert.equal(kind(SCRYPT.replace('ln=10', 'ln=18')), 'scrypt');
});

test('a damaged hash is refused', () => {
  for (const text of [
    BCRYPT.slice(0, -1),
    BCRYPT.replace('$05$', '$03$'),
    ARGON2.replace('v=19', 'v=16'),
    ARGON2.replace('m=1024', 'm=7'),
    ARGON2.replace('t=2', 't=0'),
    ARGON2.slice(0, -30),
    ARGON2.replace('c29tZXNhbHRzb21lc2FsdA', 'c29t'),
    SCRYPT.replace('ln=10', 'ln=0'),
    SCRYPT.slice(0, -30),
    '$argon2id$',
    '$scrypt$',
  ])
    assert.equal(typeof parsePasswordHash(text), 'string', text);
});
