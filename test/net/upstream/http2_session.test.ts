// One HTTP/2 connection: when it takes no more streams, and when it ends. Its streams are tested in http2_upstream.test.ts.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2, { type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Session } from '../../../src/net/upstream/http2_session.ts';
import type { UpstreamLimits } from '../../../src/net/upstream.ts';
import type { Failure } from '../../../src/resilience/failure.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { checkLeaks } from '../../support/leak_check.ts';
import { seededRandom } from '../../support/seeded_random.ts';

checkLeaks();

interface Use {
  readonly clock: FakeClock;
  readonly session: Session;
  readonly peer: Promise<ServerHttp2Session>;
  /** What has been said to the owner. */
  readonly told: readonly string[];
  /** One stream: taken when the session is there. */
  take(): Promise<Failure | null>;
}

async function withSession(
  limits: Partial<UpstreamLimits>,
  use: (given: Use) => Promise<void>,
  settings: http2.Settings = {},
): Promise<void> {
  const server = http2.createServer({ settings });
  server.on('sessionError', () => {});
  const peer = once(server, 'session').then(([session]) => session as ServerHttp2Session);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const clock = new FakeClock();
  const told: string[] = [];
  const { port } = server.address() as AddressInfo;
  const session = new Session(
    {
      address: { kind: 'tcp', host: '127.0.0.1', port },
      protocol: 'h2c',
      tls: null,
      connectionsMax: 1,
      idleMs: 4_000,
      requestsMax: null,
      ageMsMax: null,
      connectTimeoutMs: 1_000,
      ...limits,
    },
    clock,
    { ...seededRandom(1), unit: () => 0.5 }, // no jitter
    () => told.push('gone'),
    () => told.push('capacity'),
  );
  const take = () =>
    new Promise<Failure | null>(resolve => {
      session.streams++;
      session.whenReady(failure => resolve(failure));
    });
  try {
    await use({ clock, session, peer, told, take });
  } finally {
    session.destroy();
    server.close();
    await once(server, 'close');
  }
}

test('a session without streams is closed after the idle time, and a stream in time keeps it', () =>
  withSession({ idleMs: 4_000 }, async ({ clock, session, told, take }) => {
    await take();
    session.endStream(false);
    clock.advance(3_999);
    assert.equal(told.includes('gone'), false);
    await take();
    clock.advance(60_000);
    assert.deepEqual([told.includes('gone'), session.isExhausted], [false, false], 'it is not idle');
    session.endStream(false);
    clock.advance(4_000);
    assert.equal(told.includes('gone'), true);
  }));

test('it takes no stream beyond its requests or its age, and is closed when the last one has ended', async () => {
  await withSession({ requestsMax: 2 }, async ({ session, told, take }) => {
    await take();
    assert.equal(session.hasCapacity, true);
    await take();
    assert.deepEqual([session.hasCapacity, session.isExhausted], [false, true]);
    session.endStream(false);
    assert.equal(told.includes('gone'), false, 'one stream goes on');
    session.endStream(false);
    assert.equal(told.includes('gone'), true);
  });
  await withSession({ ageMsMax: 10_000 }, async ({ clock, session, take }) => {
    await take();
    clock.advance(9_999);
    assert.equal(session.isExhausted, false);
    clock.advance(1);
    assert.equal(session.isExhausted, true);
  });
});

test('the limits of a reload hold for a session that is open', () =>
  withSession({}, async ({ session, take }) => {
    await take();
    assert.equal(session.isExhausted, false);
    session.setLimits({ connectionsMax: 1, idleMs: 1, requestsMax: 1, ageMsMax: null, connectTimeoutMs: 1 });
    assert.equal(session.isExhausted, true);
  }));

test('a request beyond the stream limit of a new connection is refused as unsent', () =>
  withSession(
    {},
    async ({ session, take }) => {
      const failures = await Promise.all([take(), take(), take()]);
      assert.deepEqual(failures, [
        null,
        null,
        { kind: 'reset_before_head', code: 'H2_NO_ROOM', unsent: true, noCapacity: true },
      ]);
      assert.equal(session.hasCapacity, false);
    },
    { maxConcurrentStreams: 2 },
  ));

test('after GOAWAY a session takes no more streams, and capacity for another connection is signalled', () =>
  withSession({}, async ({ session, peer, told, take }) => {
    await take();
    const before = told.length;
    (await peer).goaway(0);
    while (told.length === before) await turn();
    assert.deepEqual([told.at(-1), session.isExhausted, session.hasCapacity], ['capacity', true, false]);
  }));

test('when a session is destroyed, waiting requests get an error, and no timer is left', () =>
  withSession({}, async ({ clock, session, take }) => {
    const waiting = take();
    session.destroy();
    assert.deepEqual(await waiting, { kind: 'connect_refused', code: 'CLOSED' });
    assert.deepEqual(await take(), { kind: 'connect_refused', code: 'CLOSED' }, 'whoever comes later too');
    assert.equal(clock.pendingTimers, 0);
  }));
