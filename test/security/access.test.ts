import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildAccessList } from '../../src/security/access.ts';

test('without lists everyone is allowed', () => {
  const access = buildAccessList({ allow: [], deny: [] });
  for (const ip of ['203.0.113.7', '::1', 'unix']) assert.equal(access.allows(ip), true, ip);
});

test('an allow list allows only its networks', () => {
  const access = buildAccessList({ allow: ['10.0.0.0/8'], deny: [] });
  assert.equal(access.allows('10.0.0.1'), true);
  assert.equal(access.allows('::ffff:10.0.0.1'), true);
  for (const ip of ['203.0.113.7', '::1', 'unix', '', 'x']) assert.equal(access.allows(ip), false, ip);
});

test('a deny list denies only its networks', () => {
  const access = buildAccessList({ allow: [], deny: ['203.0.113.0/24', '2001:db8::/32'] });
  for (const ip of ['203.0.113.7', '2001:db8::1']) assert.equal(access.allows(ip), false, ip);
  for (const ip of ['203.0.114.7', 'unix']) assert.equal(access.allows(ip), true, ip);
});

test('deny wins over allow', () => {
  const access = buildAccessList({ allow: ['10.0.0.0/8'], deny: ['10.6.6.6'] });
  assert.equal(access.allows('10.6.6.6'), false);
  assert.equal(access.allows('10.6.6.7'), true);
});
