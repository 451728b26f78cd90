// A body in crumbs is told from one that is large, slow or has a large head.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crumbCost, isWasteful } from '../../../src/http/client/framing_waste.ts';

const MIB = 1_024 * 1_024;
const received = (wireBytes: number, bodyBytes: number, protocol: 'http1' | 'http2' = 'http1') => ({
  protocol,
  wireBytes,
  bodyBytes,
  sentBytes: 0,
  requests: 1,
  elapsedMs: 0,
});

test('chunks and DATA frames of one byte are wasteful once there are many of them', () => {
  assert.equal(isWasteful(received(6 * 1_000, 1_000)), false);
  assert.equal(isWasteful(received(6 * 100_000, 100_000)), true);
  assert.equal(isWasteful(received(10 * 3_000, 3_000, 'http2')), false);
  assert.equal(isWasteful(received(10 * 30_000, 30_000, 'http2')), true);
});

test('a large body is not, nor one in pieces of 16 bytes, nor the heads of many requests', () => {
  assert.equal(isWasteful(received(101 * MIB, 100 * MIB)), false);
  assert.equal(isWasteful(received(22 * MIB, 16 * MIB)), false);
  assert.equal(isWasteful({ ...received(3 * MIB, 0), requests: 100 }), false);
  assert.equal(isWasteful({ ...received(3 * MIB, 0), requests: 1 }), true);
});

test('single keys that somebody types may come for hours', () => {
  assert.equal(isWasteful({ ...received(6 * 360_000, 360_000), elapsedMs: 10 * 3_600_000 }), false);
});

test('what waits in pieces of one byte costs 200 times as much, what waits in large ones hardly more', () => {
  assert.equal(crumbCost(60_000, 300_000), 60_000 * 200);
  assert.equal(crumbCost(60_000, 500), 100 * 200);
  assert.equal(crumbCost(60_000, -1), 0);
});

test('what an HTTP/2 client says of a large download beside its upload is no waste', () => {
  const updates = received(3 * MIB, 0, 'http2');
  assert.equal(isWasteful(updates), true);
  assert.equal(isWasteful({ ...updates, sentBytes: 1_024 * MIB }), false);
});
