import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessDrain } from '../../src/lifecycle/process_drain.ts';
import { FakeClock } from '../support/fake_clock.ts';

type Parts = ConstructorParameters<typeof ProcessDrain>[0];

/** Every part notes what is done to it, in one list. */
function drained(...routes: (string | null)[]) {
  const clock = new FakeClock();
  const done: string[] = [];
  const note = (what: string) => () => void done.push(what);
  const traffic = {
    active: {
      size: 0,
      list: () =>
        routes.map(route => ({ route, fail: ({ kind }: { kind: string }) => done.push(`request ${kind}`) })),
    },
    draining: false,
    onIdle: () => {},
  };
  const connections = {
    size: 0,
    onEmpty: () => {},
    closeNew: (ageMs: number) => done.push(`close new ${ageMs}`),
    closeAll: note('close all'),
  };
  const process = { drain: { delayMs: 2_000, timeoutMs: 30_000 } };
  const parts = {
    running: { current: { loaded: { plan: { process } } } },
    runtime: {
      clock,
      traffic,
      connections,
      registry: { dispose: note('registry') },
      telemetry: { emit: (event: object) => done.push(JSON.stringify(event)) },
    },
    phase: { enter: (phase: string) => done.push(`phase ${phase}`) },
    manager: {
      stopping: note('stopping'),
      extendTimeout: (ms: number) => done.push(`extend ${ms}`),
      stop: note('manager'),
    },
    files: { close: note('files') },
    probation: { end: note('probation') },
    listeners: { goAway: note('go away'), drain: note('drain'), close: note('listeners') },
    disposables: [{ dispose: note('watch') }],
    report: { begin: note('report'), dispose: note('report ends') },
    closeAdmin: async (result: string) => void done.push(`admin ${result}`),
  };
  return { drain: new ProcessDrain(parts as unknown as Parts), done, clock, traffic, connections };
}

test('the service manager is asked for the whole drain and ten seconds more, before anything is closed', () => {
  const { drain, done, traffic } = drained();
  drain.announce();
  assert.deepEqual(done, ['stopping', 'extend 42000', 'report', 'files', 'probation', 'go away']);
  assert.equal(traffic.draining, true, 'from the very next answer on');
});

test('a connection that has asked nothing yet has one second for its first request, and then goes', () => {
  const { drain, done, clock } = drained();
  drain.closeIdleConnections();
  assert.deepEqual(done, ['close new 1000', 'drain']);
  clock.advance(999);
  assert.equal(done.length, 2);
  clock.advance(1);
  assert.deepEqual(done.slice(2), ['close new 0']);
});

test('the process is idle when no request is under way and no connection is open, in whichever order they end', async () => {
  for (const order of [
    ['traffic', 'connections'],
    ['connections', 'traffic'],
  ]) {
    const { drain, traffic, connections } = drained();
    traffic.active.size = 1;
    connections.size = 1;
    let isIdle = false;
    const idle = drain.idle().then(() => {
      isIdle = true;
    });
    for (const part of order) {
      await null;
      assert.equal(isIdle, false);
      if (part === 'traffic') {
        traffic.active.size = 0;
        traffic.onIdle();
      } else {
        connections.size = 0;
        connections.onEmpty();
      }
    }
    await idle;
  }
  await drained().drain.idle(); // at once where there is nothing
});

test('at the deadline what is under way is counted by route, and fails with the reason', () => {
  const { drain, done } = drained('a', null, 'a');
  drain.abortRequests();
  const event = { kind: 'requests_cut', listener: null, count: 3, routes: { a: 2, '-': 1 } };
  assert.deepEqual(done, [JSON.stringify(event), ...Array(3).fill('request shutting_down')]);
});

test('where nothing is under way at the deadline, nothing is reported as cut', () => {
  const { drain, done } = drained();
  drain.abortRequests();
  assert.deepEqual(done, []);
});

test('the admin side is the last to close that answers, and the service manager hears nothing after it', async () => {
  const { drain, done } = drained();
  await drain.release('forced');
  assert.deepEqual(done, [
    'registry',
    'watch',
    'listeners',
    'close all',
    'report ends',
    'admin forced',
    'manager',
  ]);
});
