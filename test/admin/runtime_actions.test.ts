import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RuntimeActions } from '../../src/admin/runtime_actions.ts';
import { fakeCluster } from '../load_balancer/fake_cluster.ts';

function operatorOf(endpoints: number) {
  const { clock, backends, pool } = fakeCluster(endpoints);
  const said: unknown[] = [];
  const telemetry = {
    level: 'info',
    setLevel: (level: string | null) => void said.push(level),
    emit: ({ kind, ...facts }: { kind: string }) => void said.push([kind, ...Object.values(facts)]),
  };
  const plane = { clusters: new Map([['app', { pool }]]) };
  const operator = new RuntimeActions(
    { current: { plane } } as unknown as ConstructorParameters<typeof RuntimeActions>[0],
    telemetry as unknown as ConstructorParameters<typeof RuntimeActions>[1],
    clock,
  );
  return { operator, clock, said, names: backends.map(({ name }) => name), backends };
}

test('a log level goes back by itself, after the time that was asked for last', () => {
  const { operator, clock, said } = operatorOf(1);
  operator.setLogLevel('debug', 10_000);
  clock.advance(9_000);
  assert.deepEqual(operator.setLogLevel('warn', 10_000), { done: 'the log level is warn for 10 s' });
  clock.advance(9_999);
  assert.deepEqual(
    said,
    ['debug', ['log_level_changed', 'debug', 10_000], 'warn', ['log_level_changed', 'warn', 10_000]],
    'the end of the first one does not end the second',
  );
  clock.advance(1);
  assert.deepEqual(said.slice(4), [null, ['log_level_changed', 'info', null]]);
  assert.equal(clock.pendingTimers, 0);
});

test('at the end of the process no timer of a log level is left', () => {
  const { operator, clock } = operatorOf(1);
  operator.setLogLevel('debug', 10_000);
  operator.dispose();
  assert.equal(clock.pendingTimers, 0);
});

test('an endpoint or cluster that is not there is answered with those that are', () => {
  const { operator, said, names } = operatorOf(2);
  assert.equal(
    operator.setEndpoint('ap', 'x', 'drain'),
    'there is no cluster ap (did you mean "app"?); clusters: app',
  );
  assert.equal(
    operator.setEndpoint('app', 'x', 'drain'),
    `cluster app has no endpoint x; endpoints: ${names.join(', ')}`,
  );
  const [first = ''] = names;
  assert.match(
    String(operator.setEndpoint('app', `${first}0`, 'drain')),
    new RegExp(`did you mean "${first}"\\?`),
  );
  assert.deepEqual(said, []);
});

test('draining the last endpoint is done and warned of, a second time says that nothing has changed', () => {
  const { operator, said, backends } = operatorOf(2);
  const [first, last] = backends;
  assert.ok(first !== undefined && last !== undefined);
  assert.deepEqual(operator.setEndpoint('app', first.name, 'drain'), {
    done: `${first.name} is drained: it gets no new requests; none is in flight`,
  });
  last.load.inFlight = 2;
  assert.deepEqual(operator.setEndpoint('app', last.name, 'drain'), {
    done: `${last.name} is drained: it gets no new requests; 2 in flight will finish`,
    warning: 'cluster app has no eligible endpoint left; its requests get a 503',
  });
  assert.deepEqual(operator.setEndpoint('app', last.name, 'drain'), {
    done: `${last.name} was already drained: it gets no new requests; 2 in flight will finish`,
  });
  assert.deepEqual(operator.setEndpoint('app', last.name, 'ready'), {
    done: `${last.name} is ready: it gets requests again`,
  });
  assert.deepEqual(said, [
    ['endpoint_drained', 'app', first.name],
    ['endpoint_drained', 'app', last.name],
    ['endpoint_ready', 'app', last.name],
  ]);
});

test('only who drains the last eligible endpoint of a cluster is asked', () => {
  const { operator, names } = operatorOf(2);
  const [first = '', second = ''] = names;
  assert.equal(operator.drainQuestion('app', first), null, 'there is another one');
  operator.setEndpoint('app', second, 'drain');
  assert.match(operator.drainQuestion('app', first) ?? '', /is the last eligible endpoint of cluster app/);
  assert.equal(operator.drainQuestion('app', second), null, 'it gets nothing already');
  assert.equal(operator.drainQuestion('app', 'x'), null);
  assert.equal(operator.drainQuestion('ap', first), null);
});
