// Questions to a store that is slow, silent, gone or back: a fake connection and a fake clock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RedisObserver } from '../../src/net/redis_connection.ts';
import type { Reply } from '../../src/net/redis_reply.ts';
import { LimitStore, type LimitStoreSettings, type StoreAnswer } from '../../src/security/limit_store.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SETTINGS: LimitStoreSettings = {
  name: 'shared',
  host: 'store.test',
  port: 6379,
  username: null,
  password: null,
  database: 0,
  tls: null,
  connectTimeoutMs: 1_000,
  onError: 'allow',
  timeoutMs: 50,
  inFlightMax: 4,
  keyPrefix: 'test:',
};
const QUESTION = { key: 'a', intervalMs: 1_000, burst: 1, enforce: true };
const ADMITTED: Reply = [0, 0, 1_000_000];

class FakeConnection {
  readonly sent: (readonly string[])[] = [];
  readonly observer: RedisObserver;
  closed = false;
  constructor(observer: RedisObserver) {
    this.observer = observer;
  }
  send(words: readonly string[]): void {
    this.sent.push(words);
  }
  close(): void {
    this.closed = true;
  }
  /** Logged in, and the script has run. */
  becomeReady(): void {
    this.observer.onOpen(1);
    this.observer.onReply('OK');
    this.observer.onReply(ADMITTED);
  }
}

function start(parts: Partial<LimitStoreSettings> = {}) {
  const clock = new FakeClock();
  const connections: FakeConnection[] = [];
  const said: (string | null)[] = [];
  const failures: string[] = [];
  const open = (_target: unknown, _clock: unknown, observer: RedisObserver) => {
    const connection = new FakeConnection(observer);
    connections.push(connection);
    return connection;
  };
  const store = new LimitStore({ ...SETTINGS, ...parts }, open, clock, seededRandom(1), {
    onChange: why => said.push(why),
    onAnswer: () => {},
    onFailure: cause => failures.push(cause),
  });
  const last = () => connections.at(-1) as FakeConnection;
  const ask = () => {
    const got: (StoreAnswer | null)[] = [];
    const giveUp = store.ask([QUESTION], answer => got.push(answer));
    return {
      giveUp,
      get kind() {
        return got[0] === undefined ? 'waiting' : got[0]?.kind === 'answered' ? 'answered' : got[0]?.cause;
      },
    };
  };
  return { clock, connections, said, failures, store, last, ask };
}

test('questions before the first connection wait for it, within their time limit', () => {
  const { clock, last, ask, store, said } = start();
  const early = ask();
  assert.equal(store.state, 'connecting');
  clock.advance(30);
  last().becomeReady();
  assert.equal(last().sent.length, 2, 'the script, and the question that waited');
  last().observer.onReply(ADMITTED);
  assert.equal(early.kind, 'answered');
  assert.deepEqual(said, [], 'a start that goes well is no news');
  store.dispose();
  const other = start();
  const late = other.ask();
  other.clock.advance(49);
  assert.equal(late.kind, 'waiting');
  other.clock.advance(1);
  assert.equal(late.kind, 'timeout');
  other.store.dispose();
  assert.equal(other.clock.pendingTimers, 0);
});

test('several questions are under way at once, each gets its own answer, and more than the bound get none', () => {
  const { last, ask, store, failures } = start();
  last().becomeReady();
  const asked = [ask(), ask(), ask(), ask()];
  assert.equal(ask().kind, 'busy');
  assert.deepEqual(failures, ['busy']);
  assert.equal(last().sent.length, 5, 'without waiting for replies');
  last().observer.onReply(ADMITTED);
  assert.deepEqual(
    asked.map(({ kind }) => kind),
    ['answered', 'waiting', 'waiting', 'waiting'],
  );
  assert.equal(ask().kind, 'waiting', 'there is room again');
  store.dispose();
});

test('a late reply is ignored, and the next one belongs to the next question', () => {
  const { clock, last, ask, store } = start();
  last().becomeReady();
  const late = ask();
  clock.advance(50);
  assert.equal(late.kind, 'timeout');
  const next = ask();
  last().observer.onReply([9, 0, 9]);
  assert.equal(next.kind, 'waiting');
  last().observer.onReply(ADMITTED);
  assert.equal(next.kind, 'answered');
  assert.equal(store.state, 'ready');
  store.dispose();
});

test('three timeouts in a row, also of clients that have left, and the store is lost: questions fail at once until it is back', () => {
  const { clock, connections, last, ask, store, said } = start();
  last().becomeReady();
  ask().giveUp();
  ask();
  clock.advance(10);
  const third = ask();
  const fourth = ask();
  clock.advance(40);
  assert.equal(store.state, 'ready', 'two so far');
  clock.advance(10);
  assert.equal(third.kind, 'timeout');
  assert.equal(fourth.kind, 'unavailable', 'it does not wait for its own time limit');
  assert.equal(connections[0]?.closed, true);
  assert.match(String(said[0]), /3 requests in a row got no reply within 50 ms/);
  assert.equal(ask().kind, 'unavailable');
  for (let count = 0; count < 5; count++) {
    clock.advance(10_000);
    last().observer.onOpen(0);
    clock.advance(50);
    assert.equal(last().closed, true, 'it opens, and does not reply to the script');
  }
  assert.equal(said.length, 1, 'said once');
  clock.advance(10_000);
  last().becomeReady();
  assert.deepEqual([said.length, said[1], store.state], [2, null, 'ready']);
  assert.equal(ask().kind, 'waiting');
  store.dispose();
  assert.equal(clock.pendingTimers, 1, 'that of the question that is still under way');
});

test('pauses between attempts grow, and are short again after an answer', () => {
  const { clock, connections, last, ask, store } = start();
  const pauses: number[] = [];
  const pause = () => {
    const count = connections.length;
    let ms = 0;
    while (connections.length === count) {
      clock.advance(1);
      ms++;
    }
    return ms;
  };
  for (let count = 0; count < 12; count++) {
    last().observer.onEnd('connect refused');
    pauses.push(pause());
  }
  assert.ok(Math.max(...pauses) <= 5_101 && Math.max(...pauses) > 1_000, pauses.join(' '));
  assert.ok((pauses[0] ?? 0) <= 201 && (pauses[0] ?? 0) >= 100, pauses.join(' '));
  assert.equal(store.lastError, 'connect refused');
  last().becomeReady();
  ask();
  last().observer.onReply(ADMITTED);
  last().observer.onEnd('it closed the connection');
  assert.ok(pause() <= 201);
  store.dispose();
});

test('a script that the server has forgotten is sent whole, once', () => {
  const { last, ask, store } = start();
  last().becomeReady();
  const asked = ask();
  assert.equal(last().sent.at(-1)?.[0], 'EVALSHA');
  last().observer.onReply({ error: 'NOSCRIPT No matching script. Please use EVAL.' });
  assert.equal(last().sent.at(-1)?.[0], 'EVAL');
  assert.equal(asked.kind, 'waiting');
  last().observer.onReply(ADMITTED);
  assert.equal(asked.kind, 'answered');
  ask();
  assert.equal(last().sent.at(-1)?.[0], 'EVALSHA');
  store.dispose();
});

test('any other error loses the store, with what the server said', () => {
  for (const [reply, why] of [
    [{ error: 'READONLY You can not write against a read only replica.' }, /^READONLY/],
    [{ error: 'MOVED 1234 10.0.0.1:6379' }, /^MOVED/],
    ['OK', /not one of the script/],
  ] as const) {
    const { last, ask, store, said } = start();
    last().becomeReady();
    const [first, second] = [ask(), ask()];
    last().observer.onReply(reply);
    assert.deepEqual([first.kind, second.kind, store.state], ['error', 'unavailable', 'lost']);
    assert.match(String(said[0]), why);
    store.dispose();
  }
  const { last, store, said } = start();
  last().observer.onOpen(1);
  last().observer.onReply({ error: 'WRONGPASS invalid username-password pair' });
  assert.deepEqual([store.state, last().closed], ['lost', true]);
  assert.match(String(said[0]), /^WRONGPASS/);
  store.dispose();
});

test('a disposed store answers the questions in progress, and then closes', () => {
  const { clock, last, ask, store, said } = start();
  last().becomeReady();
  const asked = ask();
  store.dispose();
  assert.equal(ask().kind, 'unavailable');
  assert.equal(last().closed, false);
  last().observer.onReply(ADMITTED);
  assert.equal(asked.kind, 'answered');
  assert.equal(last().closed, true);
  const other = start();
  other.last().becomeReady();
  const hung = other.ask();
  other.store.dispose();
  other.clock.advance(50);
  assert.deepEqual([hung.kind, other.last().closed], ['timeout', true]);
  assert.deepEqual([said, other.said], [[], []], 'that is no news');
  clock.advance(60_000);
  other.clock.advance(60_000);
  assert.deepEqual([clock.pendingTimers, other.clock.pendingTimers], [0, 0]);
});
