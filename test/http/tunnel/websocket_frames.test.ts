// A frame of ours goes between two frames of a backend, wherever the network cuts them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameBoundary } from '../../../src/http/tunnel/websocket_frames.ts';
import { seededRandom } from '../../support/seeded_random.ts';

/** A frame with so much payload, all of it bytes that look like heads. */
function frame(bytes: number, masked = false): Buffer {
  const payload = Buffer.alloc(bytes, 0x82);
  const bit = masked ? 0x80 : 0;
  const head =
    bytes < 126
      ? Buffer.from([0x82, bit | bytes])
      : bytes < 65_536
        ? Buffer.from([0x82, bit | 126, bytes >> 8, bytes & 0xff])
        : Buffer.from([0x82, bit | 127, 0, 0, 0, 0, 0, bytes >> 16, (bytes >> 8) & 0xff, bytes & 0xff]);
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0, 7), payload]);
}

test('every length, masked or not, in pieces of any size: the end of each frame is found and no other place', () => {
  const random = seededRandom(7);
  const frames = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000].flatMap(bytes => [
    frame(bytes),
    frame(bytes, true),
  ]);
  const ends = new Set<number>();
  let sum = 0;
  for (const { length } of frames) {
    sum += length;
    ends.add(sum);
  }
  const stream = Buffer.concat(frames);
  const boundary = new FrameBoundary();
  for (let at = 0; at < stream.length; ) {
    const size = 1 + Math.floor(random.unit() ** 4 * 5_000);
    at += boundary.take(stream.subarray(at, at + size));
    assert.equal(boundary.isHere, ends.has(at), `after ${at} bytes`);
  }
});

test('with stop it takes no bytes beyond the first boundary', () => {
  const boundary = new FrameBoundary();
  boundary.take(frame(10).subarray(0, 5));
  const rest = Buffer.concat([frame(10).subarray(5), frame(3)]);
  assert.equal(boundary.take(rest, true), 7);
  assert.deepEqual([boundary.isHere, boundary.take(rest.subarray(7), true)], [true, 0]);
});
