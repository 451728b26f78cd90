// One line for each kind of trouble of a cluster, however many endpoints have it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterProblems } from '../../src/admin/cluster_problems.ts';
import type { ClusterView, EndpointView } from '../../src/admin/status_view.ts';
import { clusterView, endpointView, FIGURES } from './page_view.ts';

function linesOf(endpoints: readonly EndpointView[], change: Partial<ClusterView> = {}): string[] {
  return clusterProblems(clusterView(endpoints, change)).map(
    ({ severity, text, key }) => `${severity} ${text}${key === null ? '' : ` [${key}]`}`,
  );
}

const UNHEALTHY = { state: 'unhealthy', lastError: 'connect_refused' };
/** Endpoints a:1, b:1, … */
function some(count: number, change: Partial<EndpointView>): EndpointView[] {
  return Array.from({ length: count }, (_, at) =>
    endpointView({ endpoint: `${'abcdefgh'[at]}:1`, ...change }),
  );
}

test('a healthy cluster has no problems, one that has just started has none either', () => {
  assert.deepEqual(linesOf([endpointView(), endpointView({ state: 'warming' })]), []);
  assert.deepEqual(linesOf([endpointView({ state: 'unknown' }), endpointView({ state: 'unchecked' })]), []);
});

test('an endpoint that gets no requests is told with its age and its last error', () => {
  const fine = endpointView({ endpoint: 'z:1' });
  assert.deepEqual(linesOf([endpointView(UNHEALTHY), fine]), [
    'warning app 10.0.0.7:80 has been unhealthy for 1 min: connect_refused. [clusters.app.health.active]',
  ]);
  assert.deepEqual(linesOf([endpointView({ state: 'ejected', lastError: '5 failures in a row' }), fine]), [
    'warning app 10.0.0.7:80 has been ejected for 1 min: 5 failures in a row. [clusters.app.health.passive]',
  ]);
  const lost = endpointView({
    endpoint: 'nowhere:80',
    state: 'unresolved',
    lastError: 'name lookup failed: ENOTFOUND',
  });
  assert.deepEqual(linesOf([lost, fine]), [
    'warning app nowhere:80 has no address: name lookup failed: ENOTFOUND. [clusters.app.endpoints]',
  ]);
});

test('several such endpoints are one line, with the errors that are most frequent', () => {
  const [first, ...others] = some(4, UNHEALTHY);
  const odd = { ...(first as EndpointView), lastError: 'status 503', sinceMs: 400_000 };
  assert.deepEqual(linesOf([...others, odd, endpointView()]), [
    'warning app: 4 of 5 endpoints are down, the first for 6 min: connect_refused, status 503 (b:1, c:1 and 2 more). [clusters.app.health.active]',
  ]);
});

test('an error that is part of another one is told once', () => {
  const longer = endpointView({
    state: 'ejected',
    lastError: '5 failures in a row, most recently connect_refused',
  });
  assert.match(
    linesOf([...some(2, UNHEALTHY), longer, endpointView()])[0] ?? '',
    /the first for 1 min: connect_refused \(a:1, b:1 and 1 more\)\./,
  );
});

test('a cluster without an eligible endpoint is down, in one line', () => {
  assert.deepEqual(linesOf(some(8, UNHEALTHY), { serving: 0 }), [
    'error app is down: none of its 8 endpoints is eligible (8 unhealthy): connect_refused. [clusters.app.health.active]',
  ]);
  assert.deepEqual(linesOf([endpointView(UNHEALTHY)], { serving: 0 }), [
    'error app is down: its only endpoint 10.0.0.7:80 has been unhealthy for 1 min: connect_refused. [clusters.app.health.active]',
  ]);
  assert.deepEqual(linesOf([...some(1, UNHEALTHY), endpointView({ state: 'drained' })], { serving: 0 }), [
    'error app is down: none of its 2 endpoints is eligible (1 unhealthy, 1 drained by an operator): connect_refused. [clusters.app.health.active]',
  ]);
});

test('below the panic threshold the endpoints that are down are part of that line', () => {
  assert.deepEqual(linesOf([...some(3, UNHEALTHY), endpointView()], { panic: true }), [
    'error app is below its panic threshold: 3 of 4 endpoints are down, so all of them get traffic: connect_refused. [clusters.app.loadBalancing.panicBelow]',
  ]);
});

test('drained endpoints are a note, because somebody wanted them so', () => {
  assert.deepEqual(linesOf([endpointView({ state: 'drained', lastError: 'of yesterday' }), endpointView()]), [
    'note app 10.0.0.7:80 was drained by an operator 1 min ago.',
  ]);
  assert.deepEqual(linesOf([...some(2, { state: 'drained' }), endpointView()]), [
    'note app: 2 of 3 endpoints were drained by an operator (a:1, b:1).',
  ]);
});

test('an endpoint whose requests fail is told with their share; from all endpoints on it is an error', () => {
  const failing = { figures: { ...FIGURES, failureShare: 0.25 }, lastError: 'connect_refused' };
  assert.deepEqual(linesOf([...some(1, failing), endpointView()]), [
    'warning app a:1: 25 % of its requests fail, most recently connect_refused.',
  ]);
  const worse = endpointView({ figures: { ...FIGURES, failureShare: 1 } });
  assert.deepEqual(linesOf([...some(2, failing), worse]), [
    'error app: 3 of 3 endpoints fail 25 % to 100 % of their requests: connect_refused (a:1, b:1 and 1 more).',
  ]);
  assert.deepEqual(linesOf([endpointView({ figures: { ...FIGURES, failureShare: 0.05 } })]), []);
});

test('a health check that contradicts the requests is told once, and not the share too', () => {
  const lying = { disagrees: true, lastError: 'status 503', figures: { ...FIGURES, failureShare: 1 } };
  assert.deepEqual(linesOf([...some(1, lying), endpointView()]), [
    'warning app a:1: its health check succeeds while its requests fail: status 503. [clusters.app.health.active]',
  ]);
  assert.deepEqual(linesOf([...some(3, lying), endpointView()]), [
    'warning app: the health checks of 3 of 4 endpoints succeed while requests fail: status 503 (a:1, b:1 and 1 more). [clusters.app.health.active]',
  ]);
});

test('open circuit breakers are one line for the endpoints and one for the cluster', () => {
  const open = { circuit: 'open', circuitWhy: '5 of 5 requests failed (for another 3.0 s)' };
  assert.deepEqual(linesOf([...some(1, open), endpointView()]), [
    'warning app a:1: its circuit breaker is open: 5 of 5 requests failed (for another 3.0 s). [clusters.app.circuitBreaker]',
  ]);
  assert.deepEqual(linesOf(some(2, { ...open, lastError: 'status 500' })), [
    'error app: the circuit breakers of 2 of 2 endpoints are open: status 500 (a:1, b:1). [clusters.app.circuitBreaker]',
  ]);
  assert.deepEqual(linesOf([endpointView()], { circuit: 'open', circuitWhy: 'half of 20 requests failed' }), [
    'error app: the circuit breaker of the cluster is open: half of 20 requests failed. [clusters.app.circuitBreaker]',
  ]);
});

test('slow endpoints are told with both figures: those of the others, or the usual ones', () => {
  const siblings = { slow: { p95Ms: 900, expectedMs: 30.4, against: 'siblings' as const } };
  const history = { slow: { p95Ms: 900, expectedMs: 50, against: 'history' as const } };
  assert.deepEqual(linesOf([...some(1, siblings), endpointView()]), [
    'warning app a:1 is slow: a p95 to the first byte of 900 ms in the last minute, 30 ms on the others.',
  ]);
  assert.deepEqual(linesOf(some(8, history)), [
    'warning app: all 8 endpoints are slow, the worst with a p95 to the first byte of 900 ms in the last minute, usually 50 ms (a:1, b:1 and 6 more).',
  ]);
  assert.deepEqual(linesOf([...some(2, history), endpointView()]), [
    'warning app: 2 of 3 endpoints are slow, the worst with a p95 to the first byte of 900 ms in the last minute, usually 50 ms (a:1, b:1).',
  ]);
});

test('requests that wait for a connection name the pool, and say when nothing more may wait', () => {
  assert.deepEqual(linesOf([endpointView()], { queue: 1 }), [
    'warning app: 1 request is waiting for a connection. [clusters.app.pool.connections]',
  ]);
  assert.deepEqual(linesOf([endpointView()], { queue: 10 }), [
    'warning app: 10 requests are waiting for a connection; its queue is full. [clusters.app.pool.connections]',
  ]);
});
