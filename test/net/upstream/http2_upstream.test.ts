// Connections to one HTTP/2 endpoint: what a request does to the others on its connection, and what a backend hears.
import assert from 'node:assert/strict';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Http2Upstream } from '../../../src/net/upstream/http2_upstream.ts';
import type { UpstreamSettings, UpstreamSlot } from '../../../src/net/upstream.ts';
import type { Failure } from '../../../src/resilience/failure.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { type Http2Frames, serveFrames } from '../../support/http2_frames.ts';
import { checkLeaks } from '../../support/leak_check.ts';
import { seededRandom } from '../../support/seeded_random.ts';

checkLeaks();

const CONNECT_MS = 1_000;
const CANCEL = 8;
const REFUSED_STREAM = 7;
const PING_WINDOW_MS = 300_000;

class Use implements Disposable {
  readonly clock = new FakeClock();
  readonly upstream: Http2Upstream;

  constructor(address: string, settings: Partial<UpstreamSettings> = {}) {
    const [host = '', port] = address.split(':');
    const fixed = { protocol: 'h2c', tls: null, requestsMax: null, ageMsMax: null } as const;
    const times = { idleMs: PING_WINDOW_MS * 2, connectTimeoutMs: CONNECT_MS };
    this.upstream = new Http2Upstream(
      {
        address: { kind: 'tcp', host, port: Number(port) },
        connectionsMax: 1,
        ...fixed,
        ...times,
        ...settings,
      },
      this.clock,
      seededRandom(1),
    );
  }

  take(): UpstreamSlot {
    const slot = this.upstream.take();
    assert(slot !== null, 'a slot is free');
    return slot;
  }

  [Symbol.dispose](): void {
    this.upstream.destroy();
  }
}

interface Sent {
  readonly heard: string[];
  readonly failed: Promise<Failure>;
}

function send(slot: UpstreamSlot): Sent {
  const heard: string[] = [];
  const { promise: failed, resolve } = Promise.withResolvers<Failure>();
  slot.send(
    { method: 'GET', target: '/', authority: 'a', headers: [], body: null },
    {
      onConnected: reused => heard.push(reused ? 'reused' : 'new'),
      onInformation: status => heard.push(`information ${status}`),
      onHead: status => heard.push(`head ${status}`),
      onData: () => true,
      onEnd: () => heard.push('end'),
      onError(failure) {
        heard.push(failure.kind);
        resolve(failure);
      },
    },
  );
  return { heard, failed };
}

/** What happens at a backend, one thing after the other. */
class Events<T> {
  readonly #seen: T[] = [];
  readonly #wanted: ((event: T) => void)[] = [];
  readonly push = (event: T): void => {
    const wanted = this.#wanted.shift();
    if (wanted === undefined) this.#seen.push(event);
    else wanted(event);
  };
  get unseen(): number {
    return this.#seen.length;
  }
  next(): Promise<T> {
    const event = this.#seen.shift();
    return event === undefined ? new Promise(resolve => this.#wanted.push(resolve)) : Promise.resolve(event);
  }
}

test('a request that is no longer wanted is cancelled at the backend at once, without further callbacks', async () => {
  const streams = new Events<number>();
  const resets = new Events<readonly [number, number]>();
  await using backend = await serveFrames((_frames, stream) => streams.push(stream), {
    onReset: (stream, code) => resets.push([stream, code]),
  });
  using use = new Use(backend.address);
  const slot = use.take();
  const { heard } = send(slot);
  const stream = await streams.next();
  slot.abort();
  use.upstream.release(slot);
  assert.deepEqual(await resets.next(), [stream, CANCEL]);
  assert.deepEqual(heard, ['new']);
  assert.equal(use.upstream.counts.inUse, 0);
});

test('a peer that accepts and says nothing is connect_timeout, and its connection is given up', async () => {
  const prefaces = new Events<Buffer>();
  const server = net.createServer(socket => {
    socket.on('error', () => {});
    socket.once('data', prefaces.push);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  using use = new Use(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  const slot = use.take();
  const { heard, failed } = send(slot);
  await prefaces.next();
  use.clock.advance(CONNECT_MS - 1);
  assert.deepEqual(heard, []);
  use.clock.advance(1);
  assert.deepEqual(await failed, { kind: 'connect_timeout', afterMs: CONNECT_MS });
  use.upstream.release(slot);
  assert.deepEqual(use.upstream.counts, { open: 0, inUse: 0 });
  await new Promise(resolve => server.close(resolve));
});

test('a stream that the backend refuses was not processed, and the failure says so', async () => {
  await using backend = await serveFrames((frames, stream) => frames.resetStream(stream, REFUSED_STREAM));
  using use = new Use(backend.address);
  const slot = use.take();
  assert.deepEqual(await send(slot).failed, {
    kind: 'reset_before_head',
    code: 'H2_7',
    unsent: true,
    refused: true,
    streamOnly: true,
  });
  use.upstream.release(slot);
});

test('a connection in doubt takes no streams; without an answer to the PING it is left, and its requests go on', async () => {
  const streams = new Events<readonly [Http2Frames, number]>();
  const pings = new Events<Buffer>();
  await using backend = await serveFrames((frames, stream) => streams.push([frames, stream]), {
    onPing: (_frames, payload) => pings.push(payload),
  });
  using use = new Use(backend.address);
  const stays = use.take();
  const leaves = use.take();
  const { heard } = send(stays);
  send(leaves);
  const [frames, stream] = await streams.next();
  await streams.next();
  leaves.abort();
  use.upstream.release(leaves);
  await pings.next();
  assert.equal(use.upstream.take(), null, 'it is not known whether anybody is there');
  use.clock.advance(CONNECT_MS - 1);
  assert.equal(use.upstream.take(), null);
  use.clock.advance(1);
  const other = use.take();
  send(other);
  const [elsewhere] = await streams.next();
  assert(elsewhere !== frames, 'the next request has a connection of its own');
  assert.deepEqual(heard, ['new'], 'whoever waits on the old one has its own timeouts');
  frames.status(stream, 200);
  frames.data(stream, 0);
  frames.resetStream(stream, 0);
  other.abort();
  stays.abort();
  use.upstream.release(other);
  use.upstream.release(stays);
});

for (const { waitMs, pinged } of [
  { waitMs: 0, pinged: false },
  { waitMs: PING_WINDOW_MS, pinged: true },
]) {
  const then = pinged ? 'after those a third is sent' : 'instead of a third the connection is left';
  test(`two PINGs in five minutes, as servers of gRPC allow: ${then}`, async () => {
    const streams = new Events<Http2Frames>();
    const pings = new Events<Buffer>();
    await using backend = await serveFrames(streams.push, {
      onPing(frames, payload) {
        pings.push(payload);
        frames.pong(payload);
      },
    });
    using use = new Use(backend.address);
    const call = use.take(); // keeps the connection
    const { heard } = send(call);
    const first = await streams.next();
    /** A client leaves before its answer; whether that was on the first connection. */
    const leave = async (): Promise<boolean> => {
      const slot = use.take();
      send(slot);
      const frames = await streams.next();
      slot.abort();
      use.upstream.release(slot);
      return frames === first;
    };
    for (const count of ['one', 'two']) {
      assert.equal(await leave(), true, count);
      await Promise.all([pings.next(), capacitySignalOf(use.upstream)]);
    }
    use.clock.advance(waitMs);
    assert.equal(await leave(), true);
    if (pinged) await Promise.all([pings.next(), capacitySignalOf(use.upstream)]);
    assert.equal(await leave(), pinged);
    assert.deepEqual(heard, ['new'], 'the call goes on');
    call.abort();
    use.upstream.release(call);
  });
}

/** Resolves when the peer has answered the PING: there is capacity again. */
function capacitySignalOf(upstream: Http2Upstream): Promise<void> {
  return new Promise(resolve => {
    const stop = upstream.onCapacity(() => {
      if (!upstream.hasCapacity) return;
      stop();
      resolve();
    });
  });
}
