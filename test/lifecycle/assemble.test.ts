// From a plan to what serves: what a reload of the same or another plan leaves as it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BoundRoute, DataPlane } from '../../src/http/data_plane.ts';
import { assembleAtOnce } from '../../src/lifecycle/assemble.ts';
import { type ForwardOptions, forwardTo, load } from '../support/plan_builder.ts';
import { runtimeOnFakeClock } from '../support/runtime_on_fake_clock.ts';

const config = (options: ForwardOptions = {}) => forwardTo(['127.0.0.1:1'], options);

function assembler() {
  const { runtime, clock } = runtimeOnFakeClock(load(config()).plan);
  const assemble = (options: ForwardOptions | Record<string, unknown> = {}): DataPlane => {
    const { plan, origins } = load('version' in options ? options : config(options));
    const plane = assembleAtOnce(plan, origins, runtime);
    runtime.registry.retainUsed();
    return plane;
  };
  return { assemble, runtime, clock };
}

function routesOf(plane: DataPlane, listener = 'main'): readonly BoundRoute[] {
  return plane.listeners.get(listener)?.router.values ?? [];
}

const CLIENT = { clientIp: '192.0.2.1', authority: 'a', headers: [] };

/** Whether the limit at this place still admits a client, which is charged if so. */
function admits(plane: DataPlane, at = 0): boolean {
  const limiter = routesOf(plane)[0]?.rateLimiters[at];
  assert(limiter !== undefined);
  const decision = limiter.decide(CLIENT);
  if (decision.retryAfterMs === 0) limiter.take(decision);
  return decision.retryAfterMs === 0;
}

test('what a client has used up of a limit is used up after a reload, also when another limit comes before it', () => {
  const { assemble } = assembler();
  const limit = { key: 'clientIp', rate: '1/h', burst: 1 };
  const before = assemble({ route: { rateLimits: [limit] } });
  assert.equal(admits(before), true);
  assert.equal(admits(assemble({ route: { rateLimits: [limit], timeouts: { request: '9s' } } })), false);
  const other = { key: 'clientIp', rate: '9/s', burst: 9 };
  const inserted = assemble({ route: { rateLimits: [other, limit] } });
  assert.deepEqual([admits(inserted, 0), admits(inserted, 1)], [true, false]);
  const renamed = assemble({ route: { name: 'other', rateLimits: [limit] } });
  assert.equal(admits(renamed), true, 'the limit of another route is another limit');
});

test('each listener has the routes that name it, and a cluster is one for all of them', () => {
  const { assemble } = assembler();
  const plane = assemble({
    listeners: { inner: { address: '127.0.0.1:0' } },
    route: { listeners: ['main'] },
    routes: [
      { name: 'both', match: { path: { prefix: '/both' } }, forward: { cluster: 'app' } },
      {
        name: 'only',
        listeners: ['inner'],
        match: { path: { prefix: '/only' } },
        forward: { cluster: 'app' },
      },
    ],
  });
  const named = (listener: string) =>
    routesOf(plane, listener)
      .map(({ settings }) => settings.name)
      .sort();
  assert.deepEqual(named('main'), ['all', 'both']);
  assert.deepEqual(named('inner'), ['both', 'only']);
  const pools = [...routesOf(plane), ...routesOf(plane, 'inner')].map(({ action }) =>
    action.kind === 'forward' ? action.split.targets[0]?.pool : null,
  );
  assert.equal(new Set(pools).size, 1);
});

test('where traces are not passed on, backends get no trace fields, and the other edits stay', () => {
  const { assemble } = assembler();
  const removed = (propagate: boolean) => {
    const plane = assemble({
      ...config({ route: { headers: { request: { remove: ['x-secret'] } } } }),
      tracing: { propagate },
    });
    const { requestEdits } = routesOf(plane)[0] as BoundRoute;
    return ['traceparent', 'tracestate', 'x-secret', 'x-other'].filter(name =>
      requestEdits.dropped?.find(name),
    );
  };
  assert.deepEqual(removed(true), ['x-secret']);
  assert.deepEqual(removed(false), ['traceparent', 'tracestate', 'x-secret']);
});

test('nobody may ask for a decision record by a header until the plan says who', () => {
  const { assemble } = assembler();
  assert.equal(assemble().explainFrom, null);
  const plane = assemble({ logging: { explain: { from: ['10.0.0.0/8'] } } });
  assert.deepEqual(
    [plane.explainFrom?.contains('10.1.2.3'), plane.explainFrom?.contains('192.0.2.1')],
    [true, false],
  );
});
