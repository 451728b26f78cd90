import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listenerProblems } from '../../src/admin/listener_problems.ts';
import type { HandshakesView, PageView } from '../../src/admin/status_view.ts';
import { clusterView, endpointView, pageView } from './page_view.ts';

function linesOf(change: Partial<PageView>): string[] {
  return listenerProblems(pageView([clusterView([endpointView()])], change)).map(
    ({ severity, text, key }) => `${severity} ${text}${key === null ? '' : ` [${key}]`}`,
  );
}

test('refused connections are a problem, with their number and what to change', () => {
  const refusals: PageView['refusals'] = [
    { listener: 'main', cause: 'descriptors', count: 60 },
    { listener: 'main', cause: 'clientIp', count: 1 },
    { listener: 'main', cause: 'listener', count: 2 },
    { listener: 'main', cause: 'process', count: 3 },
    { listener: 'main', cause: 'handshakes', count: 4 },
  ];
  assert.deepEqual(linesOf({ refusals }), [
    'warning main: 60 connections were refused in the last minute: the process has reached its limit of open files (raise LimitNOFILE, ulimit -n).',
    'warning main: 1 connection was refused in the last minute: one client address has as many as limits.connectionsPerIp allows (a load balancer belongs in trustedProxies). [listeners.main.limits.connectionsPerIp]',
    'warning main: 2 connections were refused in the last minute: limits.connections of the listener is reached. [listeners.main.limits.connections]',
    'warning main: 3 connections were refused in the last minute: process.connections is reached. [process.connections]',
    'warning main: 4 connections were refused in the last minute: limits.handshakes of the listener is reached: more TLS handshakes have begun than can end in time. [listeners.main.limits.handshakes]',
  ]);
});

test('WebSockets that are refused because one client has too many of them are told, other failures are not', () => {
  const recentFailures = [
    { about: 'main', cause: 'too_many_tunnels', count: 3 },
    { about: 'main', cause: 'no_route', count: 3 },
  ];
  assert.deepEqual(linesOf({ recentFailures }), [
    'warning main: 3 WebSockets were refused in the last minute: one client address has as many as limits.tunnelsPerIp allows (a load balancer belongs in trustedProxies). [listeners.main.limits.tunnelsPerIp]',
  ]);
});

test('TLS handshakes that fail are a problem from five on, if they are a tenth of all', () => {
  const one = (succeeded: number, ...failed: HandshakesView['failed']) => ({
    handshakes: [{ listener: 'main', succeeded, failed }],
  });
  assert.deepEqual(linesOf(one(45, { cause: 'version', count: 3 }, { cause: 'left', count: 2 })), [
    'warning main: 5 of 50 TLS handshakes failed in the last minute, most of them because the clients offer only TLS versions older than tls.minVersion. [listeners.main.tls.minVersion]',
  ]);
  assert.deepEqual(linesOf(one(46, { cause: 'version', count: 5 })), [], 'scanners are part of the internet');
  assert.deepEqual(linesOf(one(0, { cause: 'version', count: 4 })), []);
  assert.deepEqual(linesOf(one(100)), []);
});

test('a certificate that expires within three weeks is told, and one that has expired', () => {
  const DAY_MS = 86_400_000;
  const certificate = (subject: string, leftMs: number) => ({
    listener: 'main',
    subject,
    notAfter: '',
    leftMs,
  });
  const certificates = [
    certificate('a', 21 * DAY_MS),
    certificate('b', 21 * DAY_MS - 1),
    certificate('c', 0),
  ];
  assert.deepEqual(linesOf({ certificates }), [
    'warning main: the certificate of b expires in 20 d. [listeners.main.tls.certificates]',
    'error main: the certificate of c has expired. [listeners.main.tls.certificates]',
  ]);
});

test('a rate limit that refuses ten requests in a minute is told, with its key', () => {
  const limited = (count: number) => ({ rateLimited: [{ about: 'api/1', cause: 'enforce', count }] });
  assert.deepEqual(linesOf(limited(10)), [
    'warning Route api: 10 requests were refused in the last minute by its rate limit (429). [routes.api.rateLimits[1]]',
  ]);
  assert.deepEqual(linesOf(limited(9)), []);
});
