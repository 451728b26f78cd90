// What an operator must see within five seconds, in words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf } from '../../src/admin/status_problems.ts';
import type { PageView } from '../../src/admin/status_view.ts';
import { clusterView, endpointView, pageView } from './page_view.ts';

const FINE = clusterView([endpointView()]);

function textsOf(view: PageView): string[] {
  return problemsOf(view).map(({ text }) => text);
}

test('a healthy process has no problems', () => {
  assert.deepEqual(problemsOf(pageView([FINE])), []);
  assert.deepEqual(problemsOf(pageView([])), [], 'without a cluster nothing is down');
});

test('if every cluster is down, one line on top says so', () => {
  const down = (name: string) => clusterView([endpointView({ state: 'unhealthy' })], { name, serving: 0 });
  const all = problemsOf(pageView([down('a'), down('b')], { overload: 'heap' }));
  assert.equal(all[0]?.text, 'Everything is down: none of the 2 clusters has an eligible endpoint.');
  assert.deepEqual(
    all.slice(2).map(({ subject }) => subject),
    ['cluster a', 'cluster b'],
  );
  assert.equal(
    textsOf(pageView([down('a')]))[0],
    'Everything is down: the only cluster, a, has no eligible endpoint.',
  );
  assert.doesNotMatch(textsOf(pageView([down('a'), FINE])).join('\n'), /Everything/);
});

test('a store that cannot be reached is a problem, with its reason and what it means for requests', () => {
  const store = {
    name: 'shared',
    address: '127.0.0.1:6379',
    state: 'lost',
    sinceMs: 5_000,
    lastError: 'connect refused',
    inFlight: 0,
    onError: 'allow' as const,
  };
  assert.deepEqual(textsOf(pageView([FINE], { stores: [store] })), [
    'Store shared has been unreachable for 5 s (connect refused): its rate limits admit everything.',
  ]);
  const [denied] = problemsOf(pageView([FINE], { stores: [{ ...store, onError: 'deny' }] }));
  assert.match(denied?.text ?? '', /requests with its rate limits get a 503/);
  assert.equal(denied?.severity, 'error');
  for (const state of ['ready', 'connecting'])
    assert.deepEqual(problemsOf(pageView([FINE], { stores: [{ ...store, state }] })), []);
});

test('a problem says what it is about, how bad it is, which key to change and where the page tells more', () => {
  const refusals: PageView['refusals'] = [{ listener: 'main', cause: 'clientIp', count: 1 }];
  const cluster = clusterView([endpointView({ state: 'drained' }), endpointView()], { queue: 2 });
  assert.deepEqual(
    problemsOf(pageView([cluster], { refusals, overload: 'heap', isFromFile: false })).map(
      ({ severity, subject, key, anchor }) => [severity, subject, key, anchor],
    ),
    [
      ['error', 'process', 'process.overload.heapRatio', null],
      ['warning', 'listener main', 'listeners.main.limits.connectionsPerIp', '#listener-main'],
      ['warning', 'cluster app', 'clusters.app.pool.connections', '#cluster-app'],
      ['warning', 'reload', null, null],
      ['note', 'cluster app', null, '#cluster-app'],
    ],
  );
});
