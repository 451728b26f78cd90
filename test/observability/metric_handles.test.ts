import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterHandles, RouteHandles } from '../../src/observability/metric_handles.ts';
import { attemptRecord, requestRecord } from './records.ts';

const histogram = { observe() {}, startTimer: () => () => {} };

test('the child of a status code is looked up once, however many requests have it', () => {
  let lookups = 0;
  let counted = 0;
  const make = () => {
    lookups++;
    return { inc: () => void counted++ };
  };
  const handles = new RouteHandles('main', 'all', make, make, histogram);
  for (let count = 0; count < 3; count++) handles.requestFinished(requestRecord());
  assert.deepEqual({ lookups, counted }, { lookups: 1, counted: 3 });
  assert.deepEqual(handles.retire(), [200]);
  handles.requestFinished(requestRecord());
  assert.equal(counted, 3, 'a retired handle counts nothing');
});

test('an endpoint is counted from the plan that names it to the plan that does not', () => {
  const counted: string[] = [];
  const handles = new ClusterHandles('app', histogram, histogram, (endpoint, result) => ({
    inc: () => void counted.push(`${endpoint} ${result}`),
  }));
  handles.attemptFinished(attemptRecord({ endpoint: 'a' }));
  assert.deepEqual(handles.retainNamed(), [], 'nobody has said yet which endpoints there are');
  handles.nameEndpoints(['a', 'b']);
  handles.retainNamed();
  handles.nameEndpoints(['b', 'c']);
  handles.attemptFinished(attemptRecord({ endpoint: 'a' }));
  handles.attemptFinished(attemptRecord({ endpoint: 'c', status: 503 }));
  assert.deepEqual(handles.retainNamed(), [{ endpoint: 'a', results: ['2xx'] }]);
  handles.attemptFinished(attemptRecord({ endpoint: 'a' }));
  handles.attemptFinished(attemptRecord({ endpoint: 'c', status: null, reason: 'connect_refused' }));
  assert.deepEqual(counted, ['a 2xx', 'a 2xx', 'c 5xx', 'c connect_refused']);
});

test('of more than a thousand addresses those in use keep their figures, and those out of use make way', () => {
  const handles = new ClusterHandles('app', histogram, histogram, () => ({ inc() {} }));
  const attempt = (endpoint: string, endedAtMs: number) =>
    handles.attemptFinished(attemptRecord({ endpoint, startedAtMs: endedAtMs - 1, endedAtMs }));
  for (let at = 0; at < 1_000; at++) attempt(`a${at}`, 1_000);
  const [first, late] = [handles.statsOf('a0'), 1_000 + 60_000];
  attempt('new', 2_000);
  assert.deepEqual([handles.statsOf('new'), handles.statsOf('a0')], [null, first], 'all are in use');
  attempt('a1', late); // the next one to be looked at is in use again, the one behind it is not
  attempt('new', late);
  attempt('new', late);
  assert.notEqual(handles.statsOf('new'), null);
  assert.deepEqual(
    ['a0', 'a1', 'a2'].map(address => handles.statsOf(address) !== null),
    [true, true, false],
  );
});
