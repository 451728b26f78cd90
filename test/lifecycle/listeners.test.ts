// Opening and closing of listeners around a swap: a port is taken before anything changes, and given back when it was in vain.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ListenerSettings } from '../../src/http/listener_settings.ts';
import type { Services } from '../../src/http/request.ts';
import { assembleAtOnce } from '../../src/lifecycle/assemble.ts';
import { Listeners } from '../../src/lifecycle/listeners.ts';
import { Overload } from '../../src/resilience/overload.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { load } from '../support/plan_builder.ts';
import { connectRaw, formatRequest } from '../support/raw_client.ts';
import { runtimeOnFakeClock } from '../support/runtime_on_fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';

checkLeaks();

type Addresses = Readonly<Record<string, string>>;

function listenersOf() {
  const config = (addresses: Addresses) => ({
    version: 1,
    admin: 'off',
    listeners: Object.fromEntries(Object.entries(addresses).map(([name, address]) => [name, { address }])),
    routes: [{ name: 'all', match: { path: { prefix: '/' } }, respond: { status: 204 } }],
  });
  const first = load(config({ main: '127.0.0.1:0' }));
  const { runtime, clock, lines } = runtimeOnFakeClock(first.plan);
  const planeRef = { current: { plane: assembleAtOnce(first.plan, first.origins, runtime) } };
  const services: Services = {
    planeRef,
    clock,
    random: seededRandom(1),
    telemetry: runtime.telemetry,
    traffic: runtime.traffic,
    instanceId: 'testtest',
    overload: new Overload(first.plan.process.overload, () => {}),
    isReady: () => true,
  };
  const listeners = new Listeners(services, runtime.connections, () => 100);
  const settingsOf = (addresses: Addresses): Readonly<Record<string, ListenerSettings>> =>
    load(config(addresses)).plan.listeners;
  const apply = async (addresses: Addresses) => {
    assert.deepEqual(await listeners.prepare(settingsOf(addresses)), []);
    swap(addresses);
  };
  /** As `apply_plan.ts` does it. */
  const swap = (addresses: Addresses) => {
    const { plan, origins } = load(config(addresses));
    planeRef.current = { plane: assembleAtOnce(plan, origins, runtime) };
    listeners.commit(plan.listeners, 5_000);
  };
  const stop = async () => {
    await listeners.stopAccepting();
    listeners.close();
    runtime.connections.closeAll();
    runtime.registry.dispose();
  };
  const portOf = (name: string) => Number(listeners.addresses.get(name)?.split(':').at(-1));
  return { listeners, lines, clock, settingsOf, apply, swap, portOf, stop, [Symbol.asyncDispose]: stop };
}

async function isRefused(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  const [error] = await Promise.race([once(socket, 'connect').then(() => [null]), once(socket, 'error')]);
  socket.destroy();
  return error?.code === 'ECONNREFUSED';
}

async function statusAt(port: number): Promise<number> {
  using client = await connectRaw({ port });
  await client.send(formatRequest('/'));
  return (await client.answer()).status;
}

test('a listener whose name and address stay is the same one, and keeps its port and connections', async () => {
  await using all = listenersOf();
  await all.apply({ main: '127.0.0.1:0' });
  const port = all.portOf('main');
  using client = await connectRaw({ port });
  await client.send(formatRequest('/'));
  await client.answer();
  await all.apply({ main: '127.0.0.1:0', other: '127.0.0.1:0' });
  assert.equal(all.portOf('main'), port);
  await client.send(formatRequest('/'));
  assert.equal((await client.answer()).status, 204);
  const events = all.lines.find(({ event }) => String(event).startsWith('listener_'));
  assert.deepEqual(
    events.map(({ event, listener }) => [event, listener]),
    [
      ['listener_opened', 'main'],
      ['listener_opened', 'other'],
    ],
  );
});

test('one port that cannot be had leaves nothing open of all that were asked for, and those that serve go on', async () => {
  await using all = listenersOf();
  await all.apply({ main: '127.0.0.1:0' });
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as net.AddressInfo;
  const free = net.createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port: wanted } = free.address() as net.AddressInfo;
  free.close();
  await once(free, 'close');
  const next = all.settingsOf({
    main: '127.0.0.1:0',
    good: `127.0.0.1:${wanted}`,
    bad: `127.0.0.1:${port}`,
  });
  const problems = await all.listeners.prepare(next);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /^listener bad: /);
  assert.equal(await isRefused(wanted), true, 'the good one was given back');
  assert.equal(await statusAt(all.portOf('main')), 204);
  taken.close();
  await once(taken, 'close');
});

test('a listener that is renamed on its port is refused with what holds it, and what to do', async () => {
  await using all = listenersOf();
  await all.apply({ main: '127.0.0.1:0' });
  const address = `127.0.0.1:${all.portOf('main')}`;
  const [problem] = await all.listeners.prepare(all.settingsOf({ renamed: address }));
  assert.match(
    problem ?? '',
    /^listener renamed: listener main of this process still uses 127\.0\.0\.1:\d+; to rename/,
  );
});

test('who comes between bind and swap is answered after the swap, by the plan that knows the listener', async () => {
  await using all = listenersOf();
  const port = await freePort();
  const addresses = { main: '127.0.0.1:0', early: `127.0.0.1:${port}` };
  assert.deepEqual(await all.listeners.prepare(all.settingsOf(addresses)), []);
  using client = await connectRaw({ port });
  await client.send(formatRequest('/'));
  for (let turns = 0; turns < 20; turns++) await turn(); // it is accepted, and its bytes are there
  assert.equal(all.listeners.addresses.size, 0, 'it is not open yet');
  all.swap(addresses);
  assert.equal((await client.answer()).status, 204);
});

test('who comes to a listener that is not wanted after all is let go', async () => {
  await using all = listenersOf();
  const port = await freePort();
  assert.deepEqual(await all.listeners.prepare(all.settingsOf({ early: `127.0.0.1:${port}` })), []);
  using client = await connectRaw({ port });
  await client.send(formatRequest('/'));
  await all.listeners.discard();
  await client.ended;
  assert.equal(await isRefused(port), true);
});

test('a listener that the plan no longer names stops accepting, says so, and answers what is under way', async () => {
  await using all = listenersOf();
  await all.apply({ main: '127.0.0.1:0', old: '127.0.0.1:0' });
  const port = all.portOf('old');
  using client = await connectRaw({ port });
  await client.send(formatRequest('/'));
  await client.answer();
  await all.apply({ main: '127.0.0.1:0' });
  await client.send(formatRequest('/'));
  const last = await client.answer();
  assert.deepEqual([last.status, last.headers.includes('close')], [204, true]);
  await client.ended;
  while (!(await isRefused(port)));
  assert.equal(all.lines.find({ event: 'listener_closed', listener: 'old' }).length, 1);
  assert.deepEqual([...all.listeners.addresses.keys()], ['main']);
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
