// Names follow their name server in the background, and a name server that fails changes nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LookUp, type NameWatch, type Resolution, Resolver } from '../../src/net/resolver.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';

const RETRY_MS = { min: 1, max: 2 };

/** Answers what it was last told to; remembers who asked. */
class NameServer {
  asked = 0;
  running = 0;
  peak = 0;
  answer: () => Promise<Resolution> = async () => ({ addresses: ['10.0.0.1'], ttlMs: null });
  readonly lookUp: LookUp = async () => {
    this.asked++;
    this.peak = Math.max(this.peak, ++this.running);
    try {
      return await this.answer();
    } finally {
      this.running--;
    }
  };
  says(addresses: readonly string[], ttlMs: number | null = null): void {
    this.answer = async () => ({ addresses, ttlMs });
  }
  fails(code: string): void {
    this.answer = () => Promise.reject(Object.assign(new Error('away'), { code }));
  }
}

function setUp(refreshMs = 10_000) {
  const clock = new FakeClock();
  const server = new NameServer();
  const resolver = new Resolver(server.lookUp, clock, seededRandom(1));
  return { clock, server, watch: () => resolver.watch({ host: 'app.test', refreshMs }, RETRY_MS) };
}

function news(watch: NameWatch): Promise<void> {
  return new Promise(resolve => {
    const stop = watch.subscribe(() => {
      stop();
      resolve();
    });
  });
}

/** A lookup has ended and its pause has begun. */
async function settled(clock: FakeClock, server: NameServer): Promise<void> {
  while (server.running > 0 || clock.pendingTimers === 0) await new Promise(resolve => setImmediate(resolve));
}

test('a name is looked up at once, and its addresses are known in one order', async () => {
  const { server, watch } = setUp();
  server.says(['10.0.0.3', '10.0.0.1', '10.0.0.3']);
  const name = watch();
  assert.deepEqual([name.addresses, name.failure], [[], null], 'nothing is known yet');
  await news(name);
  assert.deepEqual(name.addresses, ['10.0.0.1', '10.0.0.3']);
  name.dispose();
});

test('the next lookup comes with the TTL, with `refresh` where that is sooner, and not more than once a second', async () => {
  for (const [ttlMs, dueAtMs] of [
    [5_000, 5_000],
    [60_000, 10_000],
    [null, 10_000],
    [0, 1_000],
  ] as const) {
    const { clock, server, watch } = setUp(10_000);
    server.says(['10.0.0.1'], ttlMs);
    const name = watch();
    await settled(clock, server);
    clock.advance(dueAtMs * 0.9 - 1);
    assert.equal(server.asked, 1, `TTL ${ttlMs}: not before ${dueAtMs} ms less 10 %`);
    clock.advance(dueAtMs * 0.2 + 2);
    assert.equal(server.asked, 2, `TTL ${ttlMs}: after ${dueAtMs} ms and 10 %`);
    name.dispose();
  }
});

test('the same addresses in another order are no news, other ones are', async () => {
  const { clock, server, watch } = setUp(1_000);
  server.says(['10.0.0.1', '10.0.0.2']);
  const name = watch();
  await settled(clock, server);
  let heard = 0;
  name.subscribe(() => heard++);
  server.says(['10.0.0.2', '10.0.0.1']);
  clock.advance(1_200);
  await settled(clock, server);
  assert.equal(heard, 0);
  server.says(['10.0.0.2']);
  clock.advance(1_200);
  await settled(clock, server);
  assert.deepEqual([heard, name.addresses], [1, ['10.0.0.2']]);
  name.dispose();
});

test('a name that fails keeps its last addresses, says so once, and is asked again until it answers', async () => {
  const { clock, server, watch } = setUp(1_000);
  const name = watch();
  await settled(clock, server);
  const heard: (string | null)[] = [];
  name.subscribe(() => heard.push(name.failure));
  server.fails('ESERVFAIL');
  clock.advance(1_200);
  while (server.asked < 4) await new Promise(resolve => setImmediate(resolve));
  assert.deepEqual([heard, name.addresses], [['ESERVFAIL'], ['10.0.0.1']]);
  server.says(['10.0.0.9']);
  await news(name);
  assert.deepEqual([heard, name.addresses], [['ESERVFAIL', null], ['10.0.0.9']]);
  name.dispose();
});

test('an answer without an address is a failure', async () => {
  const { server, watch } = setUp();
  server.says([]);
  const name = watch();
  await news(name);
  assert.equal(name.failure, 'ENODATA');
  name.dispose();
});

test('at most six lookups run at the same time, whatever the number of names', async () => {
  const clock = new FakeClock();
  const server = new NameServer();
  const resolver = new Resolver(server.lookUp, clock, seededRandom(1));
  const names = Array.from({ length: 20 }, (_, at) =>
    resolver.watch({ host: `n${at}.test`, refreshMs: 1_000 }),
  );
  while (server.asked < 20 || server.running > 0 || clock.pendingTimers < 20)
    await new Promise(resolve => setImmediate(resolve));
  assert.deepEqual([server.asked, server.peak], [20, 6]);
  for (const name of names) name.dispose();
});

test('a watch that has ended asks no more and leaves no timer', async () => {
  const { clock, server, watch } = setUp();
  const name = watch();
  await settled(clock, server);
  name.dispose();
  clock.advance(60_000);
  assert.deepEqual([server.asked, clock.pendingTimers], [1, 0]);

  server.fails('ENOTFOUND');
  const failing = watch();
  await news(failing);
  failing.dispose();
  const { asked } = server;
  await new Promise(resolve => setTimeout(resolve, 20)); // ten times the longest pause between two attempts
  assert.equal(server.asked, asked);
});

test('a name server that says nothing is a failure after 5 s, and its answer still counts when it comes', async () => {
  const { clock, server, watch } = setUp();
  const late = Promise.withResolvers<Resolution>();
  server.answer = () => late.promise;
  const name = watch();
  while (server.asked < 1) await new Promise(resolve => setImmediate(resolve));
  clock.advance(4_999);
  assert.equal(name.failure, null);
  clock.advance(1);
  assert.equal(name.failure, 'ETIMEOUT');
  late.resolve({ addresses: ['10.0.0.1'], ttlMs: null });
  await news(name);
  assert.deepEqual([name.addresses, name.failure], [['10.0.0.1'], null]);
  name.dispose();
});

/** A name server that says nothing for some names, until it is told to. */
function silentFor(isSilent: (host: string) => boolean) {
  const asked: string[] = [];
  const held: (() => void)[] = [];
  const lookUp: LookUp = async host => {
    asked.push(host);
    if (isSilent(host)) await new Promise<void>(resolve => held.push(resolve));
    if (isSilent(host)) throw Object.assign(new Error('away'), { code: 'EAI_AGAIN' });
    return { addresses: ['10.0.0.1'], ttlMs: null };
  };
  return { asked, lookUp, giveUp: () => held.splice(0).forEach(resolve => void resolve()) };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve));
}

test('name servers that say nothing hold up no other name for longer than it takes to see that they do', async () => {
  const clock = new FakeClock();
  const server = silentFor(host => host.startsWith('silent'));
  const resolver = new Resolver(server.lookUp, clock, seededRandom(1));
  const watch = (host: string) => resolver.watch({ host, refreshMs: 1_000 }, RETRY_MS);
  const silent = Array.from({ length: 20 }, (_, at) => watch(`silent${at}`));
  await until(() => server.asked.length === 6);
  const late = watch('well');
  for (let round = 1; round <= 3; round++) {
    assert.equal(late.addresses.length, 0, `round ${round}`);
    clock.advance(5_000);
    await until(() => server.asked.length >= Math.min(20, 6 * (round + 1)));
  }
  await until(() => late.addresses.length > 0);
  assert.deepEqual(late.addresses, ['10.0.0.1'], 'asked for after those that were new before it');
  clock.advance(5_000);
  server.giveUp();
  // From here on all of them are known: they have two lanes, however long they take.
  const before = server.asked.length;
  await until(() => server.asked.length >= before + 2);
  const other = watch('well2');
  await until(() => other.addresses.length > 0);
  const again = server.asked.slice(before).filter(host => host.startsWith('silent'));
  assert.deepEqual([other.failure, again.length], [null, 2]);
  for (const name of [...silent, late, other]) name.dispose();
  server.giveUp();
});

test('names that serve traffic are asked about before new ones', async () => {
  const clock = new FakeClock();
  const server = silentFor(host => host.startsWith('silent'));
  const resolver = new Resolver(server.lookUp, clock, seededRandom(1));
  const watch = (host: string) => resolver.watch({ host, refreshMs: 1_000 }, RETRY_MS);
  const well = watch('well');
  await news(well);
  await until(() => clock.pendingTimers === 1);
  const silent = Array.from({ length: 6 }, (_, at) => watch(`silent${at}`));
  await until(() => server.asked.length === 7);
  const fresh = watch('new');
  clock.advance(1_200); // `well` is due, and waits behind it
  clock.advance(4_000);
  await until(() => server.asked.length === 9);
  assert.deepEqual(server.asked.slice(7), ['well', 'new']);
  for (const name of [...silent, well, fresh]) name.dispose();
  server.giveUp();
});

test('a name goes on with its last addresses when another cluster, or another pace, asks for it', async () => {
  const { clock, server, watch } = setUp();
  const first = watch();
  await news(first);
  server.fails('ESERVFAIL');
  const second = watch();
  first.dispose();
  assert.deepEqual(second.addresses, ['10.0.0.1']);
  await news(second);
  assert.deepEqual([second.addresses, second.failure], [['10.0.0.1'], 'ESERVFAIL']);
  second.dispose();
  clock.advance(599_999);
  const soon = watch();
  assert.deepEqual(soon.addresses, ['10.0.0.1'], 'remembered for ten minutes');
  soon.dispose();
  clock.advance(600_000);
  const late = watch();
  assert.deepEqual(late.addresses, [], 'and not longer');
  late.dispose();
});
