import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sample } from '../../src/admin/samples.ts';
import { describeRecent, limitsOf, loadOf } from '../../src/admin/status_recent.ts';
import { forwardTo, load, planOf } from '../support/plan_builder.ts';
import { runtimeOnFakeClock } from '../support/runtime_on_fake_clock.ts';

test('handshakes are told by listener, the most frequent cause first, and all of it is forgotten after a minute', () => {
  const { plan } = load(forwardTo(['127.0.0.1:1']));
  const { runtime, clock } = runtimeOnFakeClock(plan);
  const { telemetry, connections, linesLost } = runtime;
  const refused = (cause: 'version' | 'left', count: number) =>
    telemetry.emit({ kind: 'tls_refused', listener: 'main', cause, code: '', count });
  connections.noteHandshake('main');
  connections.noteHandshake('other');
  refused('version', 1);
  refused('left', 3);
  telemetry.rateLimited('all/0', 'enforce');
  telemetry.rateLimited('all/0', 'shadow');
  linesLost.add(clock.nowMs());
  assert.deepEqual(describeRecent(runtime, clock.nowMs()), {
    handshakes: [
      {
        listener: 'main',
        succeeded: 1,
        failed: [
          { cause: 'left', count: 3 },
          { cause: 'version', count: 1 },
        ],
      },
      { listener: 'other', succeeded: 1, failed: [] },
    ],
    rateLimited: [{ about: 'all/0', cause: 'enforce', count: 1 }],
    recentFailures: [],
    linesLost: 1,
  });
  clock.advance(60_000);
  assert.deepEqual(describeRecent(runtime, clock.nowMs()), {
    handshakes: [],
    rateLimited: [],
    recentFailures: [],
    linesLost: 0,
  });
  runtime.registry.dispose();
});

test('limits have their use and their key; those that are off or unknown are left out', () => {
  const config = forwardTo(['127.0.0.1:1'], {
    listener: { limits: { connections: 50 } },
    listeners: { open: { address: '127.0.0.1:0', limits: { connections: 'off' } } },
    process: { connections: 100 },
  });
  const { runtime } = runtimeOnFakeClock(load(config).plan);
  const shown = () => limitsOf(planOf(config), runtime).map(({ what, max, key }) => [what, max, key]);
  assert.deepEqual(shown(), [
    ['client connections', 100, 'process.connections'],
    ['client connections', 50, 'listeners.main.limits.connections'],
  ]);
  runtime.connections.descriptorsMax = 30;
  assert.deepEqual(shown()[1], ['descriptors for client connections', 30, null]);
  runtime.registry.dispose();
});

test('the load is that of ten seconds, and unknown right after a start', () => {
  const plan = planOf(forwardTo(['127.0.0.1:1']));
  const sample = (loopShare: number) => ({ loopShare, cpuShare: 0.5, loopDelayMs: 20 }) as Sample;
  const nine = Array.from({ length: 9 }, () => sample(1));
  assert.equal(loadOf(nine, plan).loopShare, 0);
  assert.deepEqual(loadOf([sample(0), ...nine, sample(0)], plan), {
    loopShare: 0.9,
    cpuShare: 0.5,
    loopDelayMs: 20,
    loopDelayMaxMs: null,
  });
});
