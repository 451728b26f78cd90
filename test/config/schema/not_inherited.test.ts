import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notInherited, notInheritedMaintenance } from '../../../src/config/schema/not_inherited.ts';
import * as certificates from '../../support/certificates.ts';
import { loadedFrom, messagesOf } from '../config_text.ts';

const { certFile, keyFile } = certificates.server;
const PAIR = `certificates: [{ certFile: ${certFile}, keyFile: ${keyFile} }]`;

const listenersOf = (defaults: string, listeners: string) =>
  loadedFrom({ top: `defaults: { listeners: ${defaults} }`, listeners }).plan.listeners;
const activeOf = (defaults: string, active: string) =>
  loadedFrom({
    top: `defaults: { clusters: { health: { active: ${defaults} } } }`,
    clusters: `{ app: { endpoints: [a:1]${active === '' ? '' : `, health: { active: ${active} }`} } }`,
  }).plan.clusters['app']?.health.active;

test('redirects and fixed responses have no timeouts, retries and request edits, and everything else', () => {
  const routes =
    '[{ name: a, match: { path: { exact: /a } }, redirect: { to: /b } }, { name: b, match: { path: { exact: /b } }, respond: { status: 200 } }]';
  const top =
    'defaults: { routes: { timeouts: { request: 5s }, retries: { attempts: 1 }, limits: { bodyBytes: 5B }, headers: { request: { remove: [A] }, response: { remove: [B] } } } }';
  assert.deepEqual(messagesOf({ top, routes, clusters: '{}' }), []);
  for (const route of loadedFrom({ top, routes, clusters: '{}' }).plan.routes) {
    assert.deepEqual([route.headers.request.remove, route.headers.response.remove], [[], ['b']]);
    assert.deepEqual([route.retries.attemptsMax, route.listeners['main']?.requestMs], [2, 60_000]);
    assert.equal(route.listeners['main']?.bodyBytesMax, 5);
  }
});

test('tls without certificates completes the tls of listeners; with certificates it is for all of them', () => {
  const listeners = `{ clear: { address: 127.0.0.1:80 }, tls: { address: 127.0.0.1:81, tls: { ${PAIR} } }, off: { address: 127.0.0.1:82, tls: off } }`;
  const some = listenersOf('{ tls: { minVersion: TLSv1.3 } }', listeners);
  assert.deepEqual([some['clear']?.tls, some['tls']?.tls?.minVersion], [null, 'TLSv1.3']);
  const all = listenersOf(`{ tls: { ${PAIR} } }`, listeners);
  assert.deepEqual([all['clear']?.tls?.certificates.length, all['off']?.tls], [1, null]);
});

test('a certificate without a list is a whole one, and takes the place of a list in the defaults, or the list its place', () => {
  const one = `certFile: ${certFile}, keyFile: ${keyFile}`;
  const clear = '{ clear: { address: 127.0.0.1:80 } }';
  assert.equal(listenersOf(`{ tls: { ${one} } }`, clear)['clear']?.tls?.certificates.length, 1);
  for (const [defaults, own] of [
    [one, PAIR],
    [PAIR, one],
  ]) {
    const listeners = `{ tls: { address: 127.0.0.1:81, tls: { ${own} } } }`;
    assert.equal(listenersOf(`{ tls: { ${defaults} } }`, listeners)['tls']?.tls?.certificates.length, 1);
  }
});

test('what a listener cannot speak or do is not inherited', () => {
  const listeners = `{ clear: { address: 127.0.0.1:80 }, tls: { address: 127.0.0.1:81, tls: { ${PAIR} } }, socket: { address: "unix:s" } }`;
  const found = listenersOf('{ h2c: true, reusePort: true }', listeners);
  assert.deepEqual([found['clear']?.h2c, found['tls']?.h2c], [true, false]);
  assert.deepEqual([found['clear']?.reusePort, found['socket']?.reusePort], [true, false]);
  const streams = listenersOf('{ http2: { maxConcurrentStreams: 5 } }', listeners);
  assert.deepEqual(
    [streams['clear']?.http2Settings.streamsMax, streams['tls']?.http2Settings.streamsMax],
    [128, 5],
  );
});

test('a shared key for session tickets and one that is replaced exclude each other', () => {
  const skipped = notInherited('listeners', { tls: { sessionTickets: { keyFile: 'k' } } }, {});
  assert.ok(skipped.has('tls\u0000sessionTickets\u0000rotate'));
  assert.ok(!skipped.has('tls\u0000sessionTickets\u0000keyFile'));
});

test('the preset of a listener comes before the defaults, a preset in the defaults after written values', () => {
  const own = listenersOf(
    '{ timeouts: { keepAliveIdle: 9s, head: 8s }, trustedProxies: [10.0.0.0/8] }',
    '{ alb: { address: 127.0.0.1:80, preset: aws-alb }, gcp: { address: 127.0.0.1:81, preset: gcp-alb }, none: { address: 127.0.0.1:82 } }',
  );
  assert.deepEqual(
    [own['alb']?.keepAliveIdleMs, own['alb']?.headMs, own['none']?.keepAliveIdleMs],
    [75_000, 8_000, 9_000],
  );
  assert.deepEqual(own['alb']?.trustedProxies, ['10.0.0.0/8'], 'the preset needs them and has none');
  assert.deepEqual(own['gcp']?.trustedProxies, ['35.191.0.0/16', '130.211.0.0/22']);
  const shared = listenersOf(
    '{ preset: azure-appgw, trustedProxies: [10.0.0.0/8], timeouts: { request: 9s } }',
    '{ a: { address: 127.0.0.1:80, timeouts: { keepAliveIdle: 70s } }, b: { address: 127.0.0.1:81 }, c: { address: 127.0.0.1:82, preset: off } }',
  );
  assert.deepEqual(
    ['a', 'b', 'c'].map(name => [shared[name]?.keepAliveIdleMs, shared[name]?.limits.requestMs]),
    [
      [70_000, 9_000],
      [260_000, 9_000],
      [75_000, 9_000],
    ],
  );
});

test('a probe of the same kind is completed; one of another kind has only the times and counts', () => {
  const web = '{ path: /healthz, host: a.test, interval: 9s }';
  assert.deepEqual(activeOf(web, '')?.probe, activeOf('{ tcp: true }', web)?.probe);
  const longer = activeOf(web, '{ path: /other }');
  assert.deepEqual(
    [longer?.probe.kind === 'http' && [longer.probe.path, longer.probe.host], longer?.intervalMs],
    [['/other', 'a.test'], 9_000],
  );
  const tcp = activeOf(web, '{ tcp: true, timeout: 3s }');
  assert.deepEqual([tcp?.probe, tcp?.intervalMs, tcp?.timeoutMs], [{ kind: 'tcp' }, 9_000, 3_000]);
  assert.equal(activeOf('{ tcp: true }', web)?.probe.kind, 'http');
  assert.equal(activeOf(web, 'off'), null);
});

test('times of a probe alone switch no probe on', () => {
  assert.equal(activeOf('{ interval: 9s }', ''), null);
  assert.equal(activeOf('{ interval: 9s }', '{ tcp: true }')?.intervalMs, 9_000);
});

test('a cluster that writes h2c has no TLS by default', () => {
  const clusters =
    '{ app: { endpoints: [a:1], protocol: h2c }, b: { endpoints: [b:1] }, c: { endpoints: [c:1], tls: off } }';
  const plan = loadedFrom({ top: 'defaults: { clusters: { tls: {} } }', clusters }).plan;
  assert.deepEqual(
    Object.values(plan.clusters).map(({ name, tls }) => [name, tls !== null]),
    [
      ['app', false],
      ['b', true],
      ['c', false],
    ],
  );
});

test('a body of its own does not have the type of another body', () => {
  assert.deepEqual([...notInheritedMaintenance({})], ['maintenance\u0000enabled']);
  assert.ok(notInheritedMaintenance({ body: '' }).has('maintenance\u0000contentType'));
});
