import assert from 'node:assert/strict';
import { PassThrough, type Readable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { RequestBody } from '../../src/http/body_relay.ts';
import { BufferAccount } from '../../src/resilience/buffer_account.ts';

function relay(replayBytesMax: number, limit = Number.POSITIVE_INFINITY) {
  const source = new PassThrough({ highWaterMark: 4 });
  const seen = { bytes: 0, ended: false, held: [] as number[] };
  const buffers = new BufferAccount(null);
  const body: RequestBody = new RequestBody(source, replayBytesMax, buffers, {
    onBodyBytes: bytes => {
      seen.bytes = bytes;
      return bytes <= limit;
    },
    onBodyHeld: () => seen.held.push(body.unsentBytes),
    onBodyEnd: () => {
      seen.ended = true;
    },
  });
  return { source, seen, body, buffers };
}

async function text(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

test('a second attempt gets the body from its first byte while it is kept', async () => {
  const { source, seen, body } = relay(100);
  const first = body.open();
  source.write('hello ');
  first.resume();
  await turn();
  body.close();
  assert.equal(body.replayable, true);
  const second = text(body.open());
  source.end('world');
  assert.equal(await second, 'hello world');
  assert.deepEqual([seen.bytes, seen.ended], [11, true]);
});

test('a body larger than the copy streams on and is not replayable', async () => {
  const { source, body } = relay(5);
  const all = text(body.open());
  source.write('hello ');
  source.end('world');
  assert.equal(await all, 'hello world');
  assert.equal(body.replayable, false);
});

test('the copy is freed with the last attempt, and later bytes are not kept', async () => {
  const { source, body } = relay(100);
  body.open().resume();
  source.write('hello');
  await turn();
  assert.equal(body.replayable, true);
  body.release();
  assert.equal(body.replayable, false);
  source.resume();
  source.end('world');
  await turn();
  assert.equal(body.replayable, false);
});

test('nothing is read before an attempt wants it, and nothing after the listener has said stop', async () => {
  const { source, seen, body } = relay(100, 6);
  source.write('abcd');
  await turn();
  assert.equal(seen.bytes, 0);
  body.open().resume();
  await turn();
  source.write('efgh');
  await turn();
  source.write('ijkl');
  await turn();
  assert.equal(seen.bytes, 8, 'the piece that broke the limit was the last one');
});

test('a reader that takes nothing holds the source back', async () => {
  const { source, body } = relay(0);
  const reader = body.open();
  reader.once('readable', () => {});
  const piece = Buffer.alloc(64 * 1024);
  for (let count = 0; count < 4; count++) source.write(piece);
  await turn();
  assert.equal(body.waitsForBackend, true);
  assert.ok(reader.readableLength <= 2 * 64 * 1024);
});

test('copies are counted while they are kept, and given up where the process has no room: the body goes on all the same', async () => {
  const { source, body, buffers } = relay(100);
  const first = text(body.open());
  source.write('hello ');
  await turn();
  assert.deepEqual([buffers.bytes, body.replayable], [6, true]);
  buffers.setLimit(5);
  assert.deepEqual([buffers.bytes, body.replayable], [0, false]);
  source.end('world');
  assert.equal(await first, 'hello world');
  assert.equal(buffers.bytes, 0);
});

test('it is told when the backend begins to hold the client up, and when that is over', async () => {
  const { source, seen, body } = relay(0);
  const reader = body.open();
  reader.on('readable', () => {}); // asks, and takes nothing
  await turn();
  source.write(Buffer.alloc(100_000));
  await turn();
  assert.deepEqual(seen.held, [100_000]);
  assert.equal(body.waitsForBackend, true);
  reader.read();
  await turn();
  assert.deepEqual(seen.held, [100_000, 0]);
});

test('a copy is counted no more when no attempt follows', async () => {
  const { source, body, buffers } = relay(100);
  body.open().resume();
  source.write('hello');
  await turn();
  assert.equal(buffers.bytes, 5);
  body.release();
  assert.equal(buffers.bytes, 0);
});

test('small pieces of one turn go on as one, in order with large ones', async () => {
  const { source, body } = relay(0);
  const pieces: number[] = [];
  body.open().on('data', (chunk: Buffer) => pieces.push(chunk.length));
  await turn();
  for (const bytes of [1, 1, 1, 300, 1, 1]) source.emit('data', Buffer.alloc(bytes));
  await turn();
  assert.deepEqual(pieces, [3, 300, 2]);
});
