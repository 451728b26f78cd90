// What the status says when something is broken from outside, over real sockets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '../../src/resilience/clock.ts';
import { answer, resetBeforeHead } from '../support/backend_behaviours.ts';
import * as certificates from '../support/certificates.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { type Behaviour, closedPort, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const ROUND_ROBIN = { loadBalancing: { policy: 'roundRobin' } };

function textsOf({ report }: ProxyInProcess): string[] {
  return report.status().problems.map(({ text }) => text);
}

const PROBLEM_MS_MAX = 15_000;

async function problem(proxy: ProxyInProcess, wanted: RegExp): Promise<void> {
  const startedAtMs = systemClock.nowMs();
  for (;;) {
    const texts = textsOf(proxy);
    if (texts.some(text => wanted.test(text))) return;
    assert.ok(systemClock.nowMs() - startedAtMs < PROBLEM_MS_MAX, `not told: ${wanted}\n${texts.join('\n')}`);
    await wait(10); // a loop without a pause would starve probes of the proxy in the same process
  }
}

function slowly(behaviour: Behaviour): Behaviour {
  return async request => {
    await wait(1_000); // three times as long as the others, also on a machine that is busy with other things
    return behaviour(request);
  };
}

async function send(proxy: ProxyInProcess, requests: number): Promise<void> {
  const target = proxy.target();
  for (let sent = 0; sent < requests; sent += 20)
    await Promise.all(Array.from({ length: 20 }, () => fetchRaw(target, '/')));
}

test('a process that has just started, and one with good traffic, has no problems', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(forwardTo([backend.address]));
  assert.deepEqual(textsOf(proxy), []);
  await send(proxy, 60);
  assert.deepEqual(textsOf(proxy), []);
  assert.equal(proxy.report.status().requests.lastMinute, 60);
});

test('an endpoint that is slower than the others is told', async () => {
  await using fast = await startBackend(answer());
  await using other = await startBackend(answer());
  await using slow = await startBackend(slowly(answer()));
  const endpoints = [fast.address, other.address, slow.address];
  await using proxy = await startProxy(forwardTo(endpoints, { cluster: ROUND_ROBIN }));
  await send(proxy, 80);
  await problem(proxy, new RegExp(`^app ${slow.address} is slow: .* on the others\\.$`));
});

test('endpoints that refuse connections are one line, and everything is down if there are no others', async () => {
  const dead = [await closedPort(), await closedPort(), await closedPort()].map(port => `127.0.0.1:${port}`);
  const health = { active: { tcp: true, interval: '2s', timeout: '2s', unhealthyAfter: 1 } };
  await using proxy = await startProxy(
    forwardTo(dead, { cluster: { ...ROUND_ROBIN, health, loadBalancing: { panicBelow: 'off' } } }),
  );
  await problem(proxy, /^Everything is down: the only cluster, app, has no eligible endpoint\.$/);
  const ofCluster = proxy.report.status().problems.filter(({ subject }) => subject === 'cluster app');
  assert.equal(ofCluster.length, 1, JSON.stringify(ofCluster));
  assert.match(
    ofCluster[0]?.text ?? '',
    /^app is down: none of its 3 endpoints is eligible \(3 unhealthy\): connect_refused\.$/,
  );
});

test('an endpoint whose health check says yes while its requests fail is told', async () => {
  await using backend = await startBackend(answer());
  const health = { active: { path: '/healthz', interval: '500ms' }, passive: 'off' };
  await using proxy = await startProxy(
    forwardTo([backend.address], { cluster: { health }, route: { retries: { attempts: 0 } } }),
  );
  backend.behave(request => (request.target === '/healthz' ? answer()(request) : resetBeforeHead()(request)));
  await send(proxy, 20);
  await problem(proxy, /its health check succeeds while its requests fail: reset_before_head/);
  assert.ok(
    textsOf(proxy).some(text => /^100 % of the 20 requests .* mostly with reset_before_head\.$/.test(text)),
  );
});

test('a client address that has too many connections is told with the key to change', async () => {
  await using proxy = await startProxy(
    forwardTo(['127.0.0.1:1'], { listener: { limits: { connectionsPerIp: 2 } } }),
  );
  const { port } = proxy.target();
  const sockets = Array.from({ length: 5 }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
  await problem(proxy, /^main: 3 connections were refused in the last minute: one client address/);
  const told = proxy.report.status().problems.find(({ subject }) => subject === 'listener main');
  assert.equal(told?.key, 'listeners.main.limits.connectionsPerIp');
  for (const socket of sockets) {
    if (!socket.closed) {
      socket.destroy();
      await once(socket, 'close');
    }
  }
});

test('TLS handshakes that fail are told with their cause', async () => {
  const { certFile, keyFile } = certificates.server;
  const tls = { certificates: [{ certFile, keyFile }] };
  await using proxy = await startProxy(forwardTo(['127.0.0.1:1'], { listener: { tls } }));
  const { port } = proxy.target();
  for (let count = 0; count < 5; count++) {
    const socket = net.connect(port, '127.0.0.1').on('error', () => {});
    socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n').resume();
    await once(socket, 'close');
  }
  for (let count = 0; count < 2; count++) {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }).on('error', () => {});
    socket.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n').resume();
    await once(socket, 'close');
  }
  await problem(proxy, /^main: 5 of 7 TLS handshakes failed .* because the clients speak HTTP without TLS/);
});

test('requests that a rate limit refuses are told with the key of the limit', async () => {
  await using backend = await startBackend(answer());
  const rateLimits = [{ key: 'clientIp', rate: '1/h', burst: 1 }];
  await using proxy = await startProxy(forwardTo([backend.address], { route: { rateLimits } }));
  await send(proxy, 20);
  await problem(proxy, /^Route all: \d+ requests were refused in the last minute by its rate limit/);
  const told = proxy.report.status().problems.find(({ subject }) => subject === 'route all');
  assert.equal(told?.key, 'routes.all.rateLimits.0');
});

test('log lines that a full disk does not take are told', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(forwardTo([backend.address], { logging: { file: '/dev/full' } }), {
    logsToFile: true,
  });
  await send(proxy, 20);
  await problem(proxy, /^\d+ log lines were lost in the last minute/);
});
