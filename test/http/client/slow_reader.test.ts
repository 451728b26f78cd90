// A client is given up when it does not read, and not because it must wait for others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlowReader } from '../../../src/http/client/slow_reader.ts';
import type { ClientStream } from '../../../src/http/client/stream.ts';

function pace(active = 1) {
  const client = { unsentBytes: 100, connectionBytes: 0, isQueued: false };
  const peer = { active };
  const subject = new SlowReader(client as unknown as ClientStream, peer, 0);
  return { client, peer, hasStopped: (nowMs: number) => subject.hasStopped(nowMs, 1_000) };
}

test('a client that reads nothing has stopped at the limit, also for a timer that fires a little early', () => {
  const { hasStopped } = pace();
  assert.deepEqual([500, 998, 999.5].map(hasStopped), [false, false, true]);
});

test('a client that reads something gets the limit again', () => {
  const { client, hasStopped } = pace();
  client.unsentBytes = 60;
  assert.deepEqual([900, 1_500, 1_900].map(hasStopped), [false, false, true]);
});

test('an answer that waits for its turn on the connection does not count', () => {
  const { client, hasStopped } = pace();
  client.isQueued = true;
  assert.deepEqual([5_000, 90_000].map(hasStopped), [false, false]);
  client.isQueued = false;
  assert.deepEqual([90_900, 91_000].map(hasStopped), [false, true]);
});

test('a stream waits for three others as long as bytes move for them, three limits more and not for ever', () => {
  const { client, peer, hasStopped } = pace(4);
  const looks: boolean[] = [];
  for (let nowMs = 900; nowMs <= 4_500; nowMs += 900) {
    client.connectionBytes += 10;
    peer.active = Math.max(1, peer.active - 1); // the others end meanwhile
    looks.push(hasStopped(nowMs));
  }
  assert.deepEqual(looks, [false, false, false, false, true]);
});

test('a stream does not wait for others on a connection where nothing moves', () => {
  const { client, hasStopped } = pace(4);
  client.connectionBytes = 10;
  assert.deepEqual([500, 1_000, 1_500].map(hasStopped), [false, false, true]);
});
