import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { describeStatus } from '../../src/admin/status.ts';
import { assembleAtOnce } from '../../src/lifecycle/assemble.ts';
import { type ForwardOptions, forwardTo, load } from '../support/plan_builder.ts';
import { runtimeOnFakeClock } from '../support/runtime_on_fake_clock.ts';

async function statusOf(endpoints: readonly unknown[], options: ForwardOptions = {}) {
  const { plan, origins } = load(forwardTo(endpoints, options));
  const lookUp = () => Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' }));
  const { runtime, clock } = runtimeOnFakeClock(plan, lookUp);
  const plane = assembleAtOnce(plan, origins, runtime);
  for (let turns = 0; turns < 50; turns++) await turn();
  clock.advance(3_000);
  const describe = () => describeStatus(plane, runtime, new Map([['main', '127.0.0.1:8080']]), clock.nowMs());
  return { plane, runtime, clock, describe, end: () => runtime.registry.dispose() };
}

test('a name without an address stands among the endpoints, with nothing in flight and the code of the lookup', async () => {
  const { describe, end } = await statusOf(['127.0.0.1:1', 'absent.test:80']);
  const [cluster] = describe().clusters;
  assert.deepEqual(
    cluster?.endpoints.map(({ endpoint, state, inFlight, lastError }) => [
      endpoint,
      state,
      inFlight,
      lastError,
    ]),
    [
      ['127.0.0.1:1', 'unchecked', 0, null],
      ['absent.test:80', 'unresolved', 0, 'name lookup failed: ENOTFOUND'],
    ],
  );
  end();
});

test('a route is described by what it matches and does, once for each listener', async () => {
  const { describe, end } = await statusOf(['127.0.0.1:1'], {
    listeners: { other: { address: '127.0.0.1:0' } },
    route: {
      match: { hosts: ['a.test', 'b.test'], path: { prefix: '/v1' }, methods: ['GET', 'PUT'] },
      listeners: ['main'],
    },
    routes: [
      {
        name: 'moved',
        listeners: ['main'],
        match: { path: { exact: '/old' } },
        redirect: { status: 308, to: '/new' },
      },
      { name: 'told', match: { path: { exact: '/told' } }, respond: { status: 204 } },
      {
        name: 'parted',
        listeners: ['main'],
        match: { path: { exact: '/parted' } },
        forward: {
          split: [
            { cluster: 'app', weight: 90 },
            { cluster: 'next', weight: 10 },
          ],
        },
      },
    ],
    clusters: { next: { endpoints: ['127.0.0.1:2'] } },
  });
  const routes = describe().routes;
  const lineOf = (name: string) =>
    routes.filter(route => route.name === name).map(({ match, action }) => [match, action]);
  assert.deepEqual(lineOf('all'), [['a.test b.test, prefix /v1, GET PUT', 'app']]);
  assert.deepEqual(lineOf('moved'), [['exact /old', 'redirect 308']]);
  assert.deepEqual(lineOf('parted'), [['exact /parted', 'app 90, next 10']]);
  assert.deepEqual(
    routes
      .filter(({ name }) => name === 'told')
      .map(({ listeners, action, cluster }) => [listeners, action, cluster]),
    [[['main', 'other'], 'respond 204', null]],
    'a route on two listeners is one route',
  );
  assert.deepEqual(
    routes.filter(({ cluster }) => cluster !== null).map(({ name, cluster }) => [name, cluster]),
    [['all', 'app']],
    'the one that has a single target',
  );
  end();
});

test('of very many routes those with the most traffic are shown', async () => {
  const routes = Array.from({ length: 250 }, (_, at) => ({
    name: `r${at}`,
    match: { path: { exact: `/${at}` } },
    respond: { status: 204 },
  }));
  const { describe, plane, clock, end } = await statusOf(['127.0.0.1:1'], { routes });
  const values = plane.listeners.get('main')?.router.values ?? [];
  const busy = values.find(({ settings }) => settings.name === 'r249');
  for (let count = 0; count < 50; count++) busy?.handles.stats.record(5, false, clock.nowMs());
  clock.advance(1_000);
  const shown = describe().routes;
  assert.deepEqual([shown.length, shown[0]?.name], [200, 'r249']);
  end();
});

test('a listener that is not bound has no address, and one without connections no counts', async () => {
  const { describe, end } = await statusOf(['127.0.0.1:1'], {
    listeners: { other: { address: '127.0.0.1:0' } },
  });
  assert.deepEqual(describe().listeners, [
    { name: 'main', address: '127.0.0.1:8080', tls: false, connections: {}, connectionsMax: 10_000 },
    { name: 'other', address: null, tls: false, connections: {}, connectionsMax: 10_000 },
  ]);
  end();
});
