// The name that a client asks for, from the bytes that it really sends.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import tls from 'node:tls';
import { serverNameIn } from '../../../src/net/listen/client_hello.ts';

/** The first flight of Node's own client. */
async function helloOf(options: tls.ConnectionOptions): Promise<Buffer> {
  const wire = new Duplex({
    read() {},
    write(chunk, _, done) {
      wire.emit('sent', chunk);
      done();
    },
  });
  const sent = once(wire, 'sent');
  const client = tls.connect({ ...options, socket: wire });
  client.on('error', () => {});
  const [bytes] = (await sent) as [Buffer];
  client.destroy();
  wire.destroy();
  return bytes;
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a name is found, its absence too, and a part of the message is known as such (${version})`, async () => {
    const only = { minVersion: version, maxVersion: version };
    const hello = await helloOf({ ...only, servername: 'a.example' });
    assert.deepEqual(serverNameIn(hello), { kind: 'name', name: 'a.example' });
    assert.deepEqual(serverNameIn(await helloOf(only)), { kind: 'none' });
    for (let length = 0; length < 50; length++)
      assert.deepEqual(serverNameIn(hello.subarray(0, length)), { kind: 'incomplete' }, `${length} bytes`);
  });
}

test('no bytes make it fail', () => {
  for (let seed = 0; seed < 500; seed++) {
    const bytes = Buffer.from(Array.from({ length: seed % 120 }, (_, at) => (seed * 31 + at * 17 + 7) % 256));
    assert.match(serverNameIn(bytes).kind, /^(?:name|none|incomplete)$/);
  }
  assert.deepEqual(serverNameIn(Buffer.alloc(200)), { kind: 'none' });
});
