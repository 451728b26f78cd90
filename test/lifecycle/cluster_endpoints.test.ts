// The backends behind names: they come and go with what the name server says, and what stays keeps its state.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { assembleCluster } from '../../src/lifecycle/assemble_cluster.ts';
import { ask } from '../load_balancer/fake_cluster.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo, planOf } from '../support/plan_builder.ts';
import { runtimeOnFakeClock } from '../support/runtime_on_fake_clock.ts';

checkLeaks();

type Answers = Record<string, readonly string[] | string>;

/** `answers`: addresses, or the code of a failure. */
function clusterOf(endpoints: readonly unknown[], answers: Answers, cluster: Record<string, unknown> = {}) {
  const lookUp = async (host: string) => {
    const found = answers[host];
    if (found === undefined || typeof found === 'string')
      throw Object.assign(new Error(host), { code: found });
    return { addresses: found, ttlMs: null };
  };
  const config = forwardTo(endpoints, { cluster });
  const parts = runtimeOnFakeClock(planOf(config), lookUp);
  const settings = planOf(config).clusters['app'];
  assert(settings !== undefined);
  const bound = assembleCluster(settings, parts.runtime);
  const names = () => bound.pool.backends.map(({ name }) => name).sort();
  /** All lookups that are due by then have been answered. */
  const settle = async (byMs = 0) => {
    parts.clock.advance(byMs);
    for (let turns = 0; turns < 50; turns++) await turn();
  };
  return { ...parts, bound, names, settle };
}

const NAMED = { address: 'app.test:80', resolve: { refresh: '10s' } };

test('a name is as many backends as it has addresses, each once, also where another endpoint is one of them', async () => {
  const { names, settle, runtime } = clusterOf([NAMED, '10.0.0.1:80'], {
    'app.test': ['10.0.0.1', '10.0.0.2'],
  });
  assert.deepEqual(names(), ['10.0.0.1:80'], 'the name is still being asked for');
  await settle();
  assert.deepEqual(names(), ['10.0.0.1:80', '10.0.0.2:80']);
  runtime.registry.dispose();
});

test('when a name changes its addresses, those that stay are the same backends, and the change is one event', async () => {
  const answers: Answers = { 'app.test': ['10.0.0.1', '10.0.0.2'] };
  const { bound, names, settle, lines, runtime } = clusterOf([NAMED], answers);
  await settle();
  const kept = bound.pool.backends.find(({ name }) => name === '10.0.0.2:80');
  answers['app.test'] = ['10.0.0.2', '10.0.0.3'];
  await settle(12_000);
  assert.deepEqual(names(), ['10.0.0.2:80', '10.0.0.3:80']);
  assert.equal(
    bound.pool.backends.find(({ name }) => name === '10.0.0.2:80'),
    kept,
  );
  const changes = lines.find({ event: 'endpoints_changed' }).map(({ added, removed }) => [added, removed]);
  assert.deepEqual(changes, [
    [['10.0.0.1:80', '10.0.0.2:80'], []],
    [['10.0.0.3:80'], ['10.0.0.1:80']],
  ]);
  await settle(12_000);
  assert.equal(lines.find({ event: 'endpoints_changed' }).length, 2, 'the same answer again is no change');
  runtime.registry.dispose();
});

test('a name that fails keeps its last addresses, and is told once when it begins and once when it is well again', async () => {
  const answers: Answers = { 'app.test': ['10.0.0.1'] };
  const { names, bound, settle, lines, runtime } = clusterOf([NAMED], answers);
  await settle();
  answers['app.test'] = 'ENOTFOUND';
  for (let times = 0; times < 5; times++) await settle(12_000);
  assert.deepEqual(names(), ['10.0.0.1:80']);
  assert.deepEqual(bound.unresolved(), [], 'it has an address');
  const [failed, ...more] = lines.find({ event: 'name_failed' });
  assert.deepEqual([failed?.name, failed?.code, more], ['app.test', 'ENOTFOUND', []]);
  assert.equal(lines.find({ event: 'endpoints_changed' }).length, 1, 'a failure changes no endpoint');
  answers['app.test'] = ['10.0.0.1'];
  await lines.next({ event: 'name_resolved' });
  await settle(12_000);
  assert.equal(lines.find({ event: 'name_resolved' }).length, 1);
  runtime.registry.dispose();
});

test('a name that fails is not told again when another name has news', async () => {
  const answers: Answers = { 'lost.test': 'ENOTFOUND', 'app.test': ['10.0.0.1'] };
  const lost = { address: 'lost.test:80', resolve: { refresh: '1h' } };
  const { settle, names, lines, runtime } = clusterOf([lost, NAMED], answers);
  await settle();
  answers['app.test'] = ['10.0.0.2'];
  await settle(12_000);
  assert.deepEqual(names(), ['10.0.0.2:80']);
  assert.equal(lines.find({ event: 'name_failed' }).length, 1);
  runtime.registry.dispose();
});

test('a name without an address stands in the status with its code, and requests fail with dns_failed', async () => {
  const { bound, settle, clock, runtime } = clusterOf([{ ...NAMED, weight: 3 }], { 'app.test': 'ENOTFOUND' });
  assert.deepEqual(bound.unresolved(), [], 'while the first lookup is under way it has not failed');
  await settle();
  const [lost] = bound.unresolved();
  assert.deepEqual([lost?.endpoint, lost?.code, lost?.weight], ['app.test:80', 'ENOTFOUND', 3]);
  assert(lost !== undefined && lost.failedAtMs <= clock.nowMs());
  assert.deepEqual(ask(bound.pool).failure, { kind: 'dns_failed', code: 'ENOTFOUND', name: 'app.test' });
  runtime.registry.dispose();
});

test('an address that a name server leaves out of one answer comes back as it was: drained by hand', async () => {
  const answers: Answers = { 'app.test': ['10.0.0.1', '10.0.0.2'] };
  const { bound, names, settle, clock, runtime } = clusterOf([NAMED], answers);
  await settle();
  for (const { adminState } of bound.pool.backends) adminState.setDrained(true, clock.nowMs());
  answers['app.test'] = ['10.0.0.2'];
  await settle(12_000);
  assert.deepEqual(names(), ['10.0.0.2:80']);
  answers['app.test'] = ['10.0.0.1', '10.0.0.2'];
  await settle(12_000);
  assert.deepEqual(
    bound.pool.backends.map(({ adminState }) => adminState.isDrained),
    [true, true],
  );
  runtime.registry.dispose();
});
