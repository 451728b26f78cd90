import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertOnly, loadedFrom, messagesOf } from '../config_text.ts';

const two = (a: string, b: string): { listeners: string } => ({
  listeners: `{ a: { address: "${a}" }, b: { address: "${b}" } }`,
});

test('two listeners cannot have one address, however it is written', () => {
  const taken = /listener b has the same address as listener a \(line 3\)/;
  assertOnly(two('127.0.0.1:80', '127.0.0.1:80'), taken);
  assertOnly(two('localhost:80', 'LOCALHOST:80'), taken);
  assertOnly(two('0.0.0.0:80', '10.0.0.1:80'), taken);
  assertOnly(two('10.0.0.1:80', '0.0.0.0:80'), taken);
  assertOnly(two('[::]:80', '10.0.0.1:80'), taken);
  assertOnly(two('unix:/run/a.sock', 'unix:/run/a.sock'), taken);
  assertOnly(two('fd:http', 'fd:http'), taken);
});

test('addresses that do not collide are allowed', () => {
  loadedFrom(two('127.0.0.1:80', '127.0.0.1:81'));
  loadedFrom(two('127.0.0.1:80', '127.0.0.2:80'));
  loadedFrom(two('127.0.0.1:0', '127.0.0.1:0'));
  loadedFrom(two('0.0.0.0:80', '[::1]:80'));
  loadedFrom(two('unix:/run/a.sock', 'unix:/run/b.sock'));
});

test('the admin API needs an address of its own', () => {
  assertOnly(
    { top: 'admin: { address: 127.0.0.1:8080 }' },
    /listener main has the same address as the admin API \(line 2\)/,
  );
  loadedFrom({ top: 'admin: { address: off }' });
});

test('a listener must let someone connect', () => {
  assertOnly({ listeners: '{}' }, /there are no listeners/);
});

test('protocols that exclude each other are refused', () => {
  const certificate = '{ certFile: missing.crt, keyFile: missing.key }';
  assertOnly(
    { listeners: '{ a: { address: 127.0.0.1:80, http2: { maxConcurrentStreams: 5 } } }' },
    /does not speak HTTP\/2/,
  );
  loadedFrom({
    listeners: '{ a: { address: 127.0.0.1:80, h2c: true, http2: { maxConcurrentStreams: 5 } } }',
  });
  // The certificate is missing too, which is not what this is about.
  const both = {
    listeners: `{ a: { address: 127.0.0.1:80, h2c: true, tls: { certificates: [${certificate}] } } }`,
  };
  assertOnlyAbout(both, /h2c is HTTP\/2 without TLS/);
});

function assertOnlyAbout(parts: Parameters<typeof messagesOf>[0], pattern: RegExp): void {
  const messages = messagesOf(parts).filter(message => !message.includes('cannot read'));
  assert.equal(messages.length, 1);
  assert.match(messages[0] ?? '', pattern);
}

test('only a TCP port can be shared with another process', () => {
  for (const address of ['unix:/run/a.sock', 'fd:http'])
    assertOnly(
      { listeners: `{ a: { address: "${address}", reusePort: true } }` },
      /reusePort is for TCP ports/,
    );
  loadedFrom({ listeners: '{ a: { address: 127.0.0.1:80, reusePort: true } }' });
});
