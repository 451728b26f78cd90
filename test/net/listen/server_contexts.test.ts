// What a listener offers: its certificates by name, and nothing that is known to be weak.
import assert from 'node:assert/strict';
import { constants } from 'node:crypto';
import { test } from 'node:test';
import type { SecureContext } from 'node:tls';
import { ServerContexts } from '../../../src/net/listen/server_contexts.ts';
import type { ServerTlsSettings } from '../../../src/net/tls.ts';
import { ca, client, elsewhere, rsa, server } from '../../support/certificates.ts';
import { serverTls } from '../../support/server_tls.ts';

const KEY = Buffer.alloc(48, 1);
const optionsOf = (settings: ServerTlsSettings, key: Buffer | null = KEY) =>
  new ServerContexts(settings, key).serverOptions;

test('one certificate needs no choice; several are chosen by name, each context built once', () => {
  assert.equal(optionsOf(serverTls()).SNICallback, undefined);
  assert.equal(optionsOf(serverTls([server, rsa])).SNICallback, undefined, 'two types of key are one choice');
  const { SNICallback } = optionsOf(serverTls([server, elsewhere]));
  const chosen = (name: string): SecureContext | undefined => {
    let result: SecureContext | undefined;
    SNICallback?.(name, (error, context) => {
      assert.equal(error, null);
      result = context;
    });
    return result;
  };
  assert.notEqual(chosen('elsewhere.test'), undefined);
  assert.equal(chosen('elsewhere.test'), chosen('ELSEWHERE.test'));
  for (const name of ['app.test', 'unknown.test']) assert.equal(chosen(name), undefined, 'the default one');
});

test('renegotiation is off, the order is ours, tickets have the given key or are off', () => {
  const on = optionsOf(serverTls());
  assert.equal(
    (on.secureOptions ?? 0) & constants.SSL_OP_NO_RENEGOTIATION,
    constants.SSL_OP_NO_RENEGOTIATION,
  );
  assert.equal((on.secureOptions ?? 0) & constants.SSL_OP_NO_TICKET, 0);
  assert.deepEqual([on.honorCipherOrder, on.ticketKeys], [true, KEY]);
  const off = optionsOf(serverTls(), null);
  assert.equal((off.secureOptions ?? 0) & constants.SSL_OP_NO_TICKET, constants.SSL_OP_NO_TICKET);
  assert.equal(off.ticketKeys, undefined);
});

test('each suite that is offered has forward secrecy and authenticated encryption', () => {
  const suites = optionsOf(serverTls()).ciphers?.split(':') ?? [];
  assert.equal(suites.length, 9);
  for (const suite of suites) assert.match(suite, /^(?:TLS_|ECDHE-).*(?:GCM|POLY1305)/, suite);
});

test('a session belongs to the policy for clients under which it began', () => {
  const contextOf = (mode: 'none' | 'optional' | 'required', caPem: string | null) => {
    const id = optionsOf(serverTls([server], { clientCertificate: { mode, caPem } })).sessionIdContext ?? '';
    assert.equal(id.length, 32, 'more is refused by OpenSSL');
    return id;
  };
  const ids = [
    contextOf('none', null),
    contextOf('optional', ca),
    contextOf('required', ca),
    contextOf('required', client.cert),
  ];
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(contextOf('required', ca), contextOf('required', ca), 'the same on each machine');
});

test('key exchange is on curves only, the one for the time of quantum computers first where OpenSSL has it', () => {
  const groups = optionsOf(serverTls()).ecdhCurve?.split(':') ?? [];
  assert.deepEqual(groups.slice(-3), ['X25519', 'P-256', 'P-384']);
  const [major = 0, minor = 0] = process.versions.openssl.split('.').map(Number);
  assert.equal(groups[0] === 'X25519MLKEM768', major > 3 || (major === 3 && minor >= 5));
});
