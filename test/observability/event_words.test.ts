// What each event says to a person.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordsOf } from '../../src/observability/event_words.ts';
import type { Event } from '../../src/observability/events.ts';
import { EVERY_EVENT } from './every_event.ts';

const sentenceOf = (event: Event) => wordsOf(event).sentence;

test('every event is one sentence', () => {
  const said = Object.fromEntries(
    Object.entries(EVERY_EVENT).map(([kind, event]) => [kind, sentenceOf(event)]),
  );
  assert.deepEqual(said, {
    started: 'fairlead 1.2.3 has started with plan abcdef012345',
    listener_opened: 'listener main is open on 127.0.0.1:8080',
    listener_closed: 'listener main is closed',
    connections_refused: 'listener main refused 12 connections: a client has reached limits.connectionsPerIp',
    tls_refused: '1 TLS handshake failed on listener main: plain_http (ERR_SSL_HTTP_REQUEST)',
    proxy_protocol_refused:
      'listener main refused 2 connections because of the PROXY protocol: stranger, most recently from 192.0.2.1',
    health_changed: 'app 10.0.0.1:80 is unhealthy: connect_refused',
    health_disagreement: 'app 10.0.0.1:80: probes succeed (status 200) but requests fail (reset_before_head)',
    panic_changed:
      'cluster app is below its panic threshold: all its endpoints get traffic, healthy or not (1 in use)',
    endpoints_changed: 'cluster app has other addresses: added 10.0.0.3:80',
    name_failed: 'cluster app: the lookup of b.test failed (ENOTFOUND); 2 addresses stay in use',
    name_resolved: 'cluster app: b.test has the addresses 10.0.0.3',
    circuit_changed: 'the circuit breaker of app 10.0.0.1:80 is open for 5 s: 10 of 20 requests failed',
    reload: 'reloaded (SIGHUP): now running plan abcdef012345, 3 changes in 14 ms',
    rollback: 'rollback rejected (too many requests failed), still running plan abcdef012345: 2 problems',
    certificate: 'certificate CN=a.test of listener main expires on 2026-12-01T00:00:00.000Z',
    overload: 'overloaded, refusing requests: the event loop is 250 ms late',
    audit: 'admin API: reload by unix: begun',
    limit_store: 'store shared cannot be reached: ECONNREFUSED',
    tracing_export: 'spans reach the collector again',
    log_level_changed: 'the log level is debug for 10 min',
    endpoint_drained: 'app 10.0.0.1:80 was drained by an operator',
    endpoint_ready: 'app 10.0.0.1:80 was made ready by an operator',
    phase_changed: 'draining: 3 requests in flight will finish',
    requests_cut: '3 requests cut off: the process ends',
    defect: 'a bug in Fairlead, please report it (request r-1)',
    warning: 'something needs attention',
  });
});

test('a failed handshake about a certificate says whose it is', () => {
  const said = (code: string) =>
    sentenceOf({ ...EVERY_EVENT.tls_refused, cause: 'certificate', code } as Event);
  assert.match(
    said('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'),
    /: the client rejected the certificate \(ERR_SSL_TLSV1/,
  );
  assert.match(said('ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'), /: the client has no valid certificate \(/);
});

test('the end of a trouble has a sentence of its own', () => {
  const app = { cluster: 'app', endpoint: '10.0.0.1:80', endpointLabel: 'b.test:80' };
  const over: readonly Event[] = [
    { kind: 'health_disagreement', ...app, disagree: false, probe: 'p', traffic: 't' },
    { kind: 'panic_changed', cluster: 'app', panic: false, serving: 3 },
    { kind: 'circuit_changed', cluster: 'app', endpoint: null, from: 'probing', to: 'closed' },
    { kind: 'overload', state: 'normal', signal: 'heap', value: 0.71 },
    { kind: 'limit_store', store: 'shared', why: null },
    { kind: 'tracing_export', why: 'ECONNREFUSED' },
    { kind: 'log_level_changed', level: 'info', forMs: null },
  ];
  assert.deepEqual(over.map(sentenceOf), [
    'app b.test:80 (10.0.0.1:80): probes and requests agree again',
    'cluster app is above its panic threshold again',
    'the circuit breaker of cluster app is closed',
    'no longer overloaded: the heap is 71 % full',
    'store shared can be reached again',
    'spans do not reach the collector: ECONNREFUSED',
    'the log level is info',
  ]);
});

test('each result of a reload, each phase and each end of requests is told apart', () => {
  const reload = { trigger: 'watch', plan: 'abcdef0123456789', problems: ['p'], tookMs: 2_500 } as const;
  const phase = { kind: 'phase_changed', from: 'x', inFlight: 0 } as const;
  const events: readonly Event[] = [
    { kind: 'reload', result: 'unchanged', ...reload },
    { kind: 'reload', result: 'rejected', ...reload },
    { kind: 'rollback', result: 'applied', ...reload, trigger: 'rollback' },
    { ...phase, to: 'serving', cause: null },
    { ...phase, to: 'lame_duck', cause: 'SIGTERM' },
    { ...phase, to: 'draining', cause: null },
    { ...phase, to: 'forcing', cause: 'SIGTERM, requested again', inFlight: 1 },
    { kind: 'requests_cut', listener: 'main', count: 1, routes: {} },
    { kind: 'defect', requestId: null, detail: 'd' },
  ];
  assert.deepEqual(events.map(sentenceOf), [
    'reload (the file has changed): already running plan abcdef012345',
    'reload rejected (the file has changed), still running plan abcdef012345: 1 problem',
    'rolled back (admin API): now running plan abcdef012345, 0 changes in 3 s',
    'serving',
    'no longer ready, still serving (SIGTERM)',
    'draining: no requests in flight',
    'ending 1 request now (SIGTERM, requested again)',
    '1 request cut off: listener main was removed',
    'a bug in Fairlead, please report it',
  ]);
});

test('what belongs to an event follows it: problems, changes, routes, a stack', () => {
  const moreOf = (kind: Event['kind']) => wordsOf(EVERY_EVENT[kind]).more;
  assert.deepEqual(moreOf('rollback'), ['one', 'two']);
  assert.deepEqual(moreOf('reload'), ['routes.api.responseHeadMs changed', 'and 2 more']);
  assert.deepEqual(moreOf('requests_cut'), ['route api: 2', 'route web: 1']);
  assert.deepEqual(moreOf('defect'), ['Error: x', '    at a (b.ts:1:2)']);
  assert.deepEqual(moreOf('warning'), []);
});

test('a thousand problems are twenty lines, and how many more', () => {
  const problems = Array.from({ length: 1_000 }, (_, at) => `problem ${at}`);
  const { more } = wordsOf({ ...EVERY_EVENT.rollback, problems } as Event);
  assert.deepEqual([more.length, more[19], more[20]], [21, 'problem 19', 'and 980 more']);
});
