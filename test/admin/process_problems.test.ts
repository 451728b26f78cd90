import assert from 'node:assert/strict';
import { test } from 'node:test';
import { processProblems, reloadProblems } from '../../src/admin/process_problems.ts';
import type { LimitView, PageView } from '../../src/admin/status_view.ts';
import { clusterView, endpointView, FIGURES, pageView } from './page_view.ts';

const view = (change: Partial<PageView>) => pageView([clusterView([endpointView()])], change);

function linesOf(change: Partial<PageView>): string[] {
  return processProblems(view(change)).map(
    ({ severity, text, key }) => `${severity} ${text}${key === null ? '' : ` [${key}]`}`,
  );
}
const LOAD = { loopShare: 0, cpuShare: 0, loopDelayMs: 0, loopDelayMaxMs: 200 };

test('a process that drains or is overloaded says so', () => {
  assert.deepEqual(linesOf({ phase: 'lame_duck', overload: 'heap' }), [
    'error The process is lame duck.',
    'error Requests are refused because of overload (heap). [process.overload.heapRatio]',
  ]);
});

test('a share of failed requests above 5 % is told with its most frequent reason, whoever is to blame', () => {
  const recentFailures = [
    { about: 'main', cause: 'connect_refused', count: 2 },
    { about: 'main', cause: 'tls_failed', count: 3 },
    { about: 'other', cause: 'connect_refused', count: 2 },
    { about: 'main', cause: 'rate_limited', count: 90 },
    { about: 'main', cause: 'maintenance', count: 90 },
  ];
  const figures = { ...FIGURES, failureShare: 0.117 };
  assert.deepEqual(linesOf({ figures, recentFailures }), [
    'error 12 % of the 60 requests of the last minute failed, mostly with connect_refused.',
  ]);
  assert.match(
    linesOf({ figures, recentFailures: [{ about: 'main', cause: 'status 500', count: 7 }] })[0] ?? '',
    /mostly with status 500\.$/,
  );
  assert.deepEqual(linesOf({ figures: { ...FIGURES, failureShare: 0.05 }, recentFailures }), []);
  assert.deepEqual(linesOf({ figures: { ...figures, requests: 19 }, recentFailures }), [], 'few requests');
});

test('log lines that are lost are told', () => {
  assert.match(linesOf({ linesLost: 1 })[0] ?? '', /^warning 1 log line was lost in the last minute: /);
  assert.match(
    linesOf({ linesLost: 200 })[0] ?? '',
    /^warning 200 log lines were lost .*\[logging\.access\.sample\]$/,
  );
});

test('a busy event loop is told from 90 % on, and the CPU only if it is not the event loop', () => {
  assert.match(
    linesOf({ load: { ...LOAD, loopShare: 0.9, cpuShare: 0.95 } }).join('\n'),
    /^warning The event loop was busy for 90 % of the last 10 s: .*$/,
  );
  assert.deepEqual(linesOf({ load: { ...LOAD, loopShare: 0.89, cpuShare: 0.95 } }), [
    'warning The process used 95 % of the CPU that it may use in the last 10 s.',
  ]);
  assert.deepEqual(linesOf({ load: { ...LOAD, loopShare: 0.89, cpuShare: 0.89 } }), []);
});

test('a late event loop is told from half of the delay at which requests are refused', () => {
  assert.deepEqual(linesOf({ load: { ...LOAD, loopDelayMs: 100 } }), [
    'warning The event loop was 100 ms late over the last 10 s; from 200 ms on, requests are refused. [process.overload.eventLoopDelay]',
  ]);
  assert.deepEqual(linesOf({ load: { ...LOAD, loopDelayMs: 99 } }), []);
  assert.equal(linesOf({ load: { ...LOAD, loopDelayMs: 100, loopDelayMaxMs: null } }).length, 1);
});

test('a limit is told from 80 % on, with its key or the limit of the system', () => {
  const limit = (used: number, change: Partial<LimitView> = {}): LimitView => ({
    what: 'client connections',
    listener: null,
    used,
    max: 100,
    key: 'process.connections',
    ...change,
  });
  const listener = limit(100, { listener: 'main', key: 'listeners.main.limits.connections' });
  const descriptors = limit(90, { what: 'descriptors for client connections', key: null });
  assert.deepEqual(linesOf({ limits: [limit(79), limit(80), listener, descriptors] }), [
    'warning 80 of 100 client connections are in use. [process.connections]',
    'warning main: 100 of 100 client connections are in use. [listeners.main.limits.connections]',
    'warning 90 of 100 descriptors for client connections are in use (raise LimitNOFILE, ulimit -n).',
  ]);
});

test('a rollback and a rejected reload are told', () => {
  const lastReload = {
    at: '',
    trigger: 'watch',
    result: { kind: 'rejected', problems: ['fairlead.yaml:1:1: error: no'] },
  };
  assert.deepEqual(
    reloadProblems(view({ isFromFile: false, lastReload })).map(({ text }) => text),
    [
      'The running plan came from a rollback; the next reload or restart would bring back the plan in the file.',
      'The last reload was rejected: fairlead.yaml:1:1: error: no',
    ],
  );
  assert.deepEqual(reloadProblems(view({})), []);
});
