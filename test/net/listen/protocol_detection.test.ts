// A socket is read until it is clear who speaks; whoever takes over reads the same bytes again.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { detectProtocol, detectTls } from '../../../src/net/listen/protocol_detection.ts';
import { FakeClock } from '../../support/fake_clock.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const LIMIT_MS = 1_000;

/** A socket whose other end is the test. */
class Near extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

/** What is heard of a client that sends these pieces, and what the next reader finds. */
async function detect(pieces: readonly string[]) {
  const clock = new FakeClock();
  const socket = new Near();
  const heard: string[] = [];
  detectProtocol(socket as unknown as Socket, LIMIT_MS, clock, protocol => heard.push(protocol));
  for (const piece of pieces) {
    socket.push(Buffer.from(piece, 'latin1'));
    await turn();
  }
  return { clock, socket, heard };
}

function everythingFrom(socket: Duplex): string {
  let text = '';
  for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) text += chunk;
  return text;
}

test('the preface of HTTP/2 is distinguished from HTTP/1.1, in one piece or byte by byte, and can be read again', async () => {
  for (const [bytes, protocol] of [
    [`${PREFACE}rest`, 'http2'],
    ['GET / HTTP/1.1\r\n', 'http1'],
    ['PRI /index HTTP/1.1\r\n', 'http1'],
    ['POST / HTTP/1.1\r\n', 'http1'],
  ] as const)
    for (const pieces of [[bytes], [...bytes]]) {
      const { clock, socket, heard } = await detect(pieces);
      assert.deepEqual(heard, [protocol], bytes);
      assert.equal(everythingFrom(socket), bytes);
      assert.equal(clock.pendingTimers, 0);
    }
});

test('a client that has said a part of the preface is closed when its time is over, not before', async () => {
  const { clock, socket, heard } = await detect([PREFACE.slice(0, -1)]);
  clock.advance(LIMIT_MS - 1);
  assert.equal(socket.destroyed, false);
  clock.advance(1);
  assert.deepEqual([socket.destroyed, heard], [true, []]);
});

test('a client that ends in the middle of the preface is closed, and leaves no timer', async () => {
  const { clock, socket, heard } = await detect([PREFACE.slice(0, 5)]);
  socket.push(null);
  await turn();
  await turn();
  assert.deepEqual([socket.destroyed, heard, clock.pendingTimers], [true, [], 0]);
});

async function tlsOf(first: number | null) {
  const clock = new FakeClock();
  const socket = new Near();
  const heard: unknown[] = [];
  detectTls(
    socket as unknown as Socket,
    LIMIT_MS,
    clock,
    isTls => heard.push(isTls),
    () => heard.push('silence'),
  );
  if (first !== null) socket.push(Buffer.from([first, 1, 2]));
  await turn();
  return { clock, socket, heard };
}

test('a TLS handshake, also of SSL 2, is distinguished from plain HTTP by its first byte, and nothing is lost', async () => {
  for (const [first, isTls] of [
    [0x16, true],
    [0x80, true],
    ['G'.charCodeAt(0), false],
    [0x15, false],
  ] as const) {
    const { clock, socket, heard } = await tlsOf(first);
    assert.deepEqual(heard, [isTls]);
    assert.deepEqual(socket.read(), Buffer.from([first, 1, 2]));
    assert.equal(clock.pendingTimers, 0);
  }
});

test('a client that sends nothing on a TLS listener is reported once, and closed', async () => {
  const { clock, socket, heard } = await tlsOf(null);
  clock.advance(LIMIT_MS - 1);
  assert.deepEqual(heard, []);
  clock.advance(1);
  assert.deepEqual([heard, socket.destroyed], [['silence'], true]);
  const gone = await tlsOf(null);
  gone.socket.destroy();
  await turn();
  gone.clock.advance(LIMIT_MS);
  assert.deepEqual(gone.heard, [], 'one that has left is not silent');
});
