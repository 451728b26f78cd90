import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { TLS12_CIPHERS } from '../../../src/config/schema/defaults.ts';
import { PRESET_NAMES } from '../../../src/config/schema/presets.ts';
import { caFile, server, ticketKeyFile } from '../../support/certificates.ts';
import { loadedFrom } from '../config_text.ts';

const listenerFrom = (text: string) => {
  const listener = loadedFrom({ listeners: `{ main: ${text} }` }).plan.listeners.main;
  assert(listener !== undefined);
  return listener;
};

test('a listener with nothing but an address has every default', () => {
  assert.deepEqual(listenerFrom('{ address: "0.0.0.0:8080" }'), {
    name: 'main',
    address: { kind: 'tcp', host: '0.0.0.0', port: 8_080 },
    tls: null,
    http2: true,
    h2c: false,
    reusePort: false,
    connectionsMax: 10_000,
    connectionsPerIpMax: 256,
    tunnelsPerIpMax: 256,
    floodPenaltyMs: 10_000,
    handshakesMax: 1_000,
    trustedProxies: [],
    trustedHops: 1,
    trustedHeaders: null,
    proxyProtocol: null,
    access: { allow: [], deny: [] },
    healthPath: null,
    paths: { dotSegments: 'reject', encodedSlash: 'keep', slashes: 'keep', semicolons: 'keep' },
    headers: { underscores: 'drop' },
    head: { headBytesMax: 32_768, headerCountMax: 100, uriBytesMax: 8_192 },
    requestsMax: 10_000,
    headMs: 10_000,
    keepAliveIdleMs: 75_000,
    http2Settings: { streamsMax: 128, streamWindowBytes: 65_536, connectionWindowBytes: 1_048_576 },
    limits: {
      requestMs: 60_000,
      bodyIdleMs: 30_000,
      bodyBytesMax: 104_857_600,
      uploadBytesPerSecondMin: 240,
      downloadBytesPerSecondMin: 240,
      rateGraceMs: 30_000,
    },
  });
});

test('limits that are off are null', () => {
  const listener = listenerFrom(
    '{ address: 127.0.0.1:0, limits: { connections: off, connectionsPerIp: off, tunnelsPerIp: off, bodyBytes: off, minUploadRate: off, minDownloadRate: off, requestsPerConnection: off }, timeouts: { request: off, bodyIdle: off } }',
  );
  const { connectionsMax, connectionsPerIpMax, tunnelsPerIpMax, requestsMax, limits } = listener;
  assert.deepEqual([connectionsMax, connectionsPerIpMax, tunnelsPerIpMax, requestsMax], Array(4).fill(null));
  assert.deepEqual(limits, {
    requestMs: null,
    bodyIdleMs: null,
    bodyBytesMax: null,
    uploadBytesPerSecondMin: null,
    downloadBytesPerSecondMin: null,
    rateGraceMs: 30_000,
  });
});

test('certificates are in the plan, not their names', () => {
  const { tls } = listenerFrom(
    `{ address: 127.0.0.1:0, tls: { certificates: [{ certFile: ${server.certFile}, keyFile: ${server.keyFile} }] } }`,
  );
  assert.deepEqual(tls, {
    certificates: [{ certPem: server.cert, keyPem: server.key }],
    minVersion: 'TLSv1.2',
    ciphers: [...TLS12_CIPHERS],
    clientCertificate: { mode: 'none', caPem: null },
    sessionTickets: { rotateMs: 43_200_000, ticketKey: null },
    rejectMisdirected: false,
  });
});

const tlsFrom = (rest: string) => {
  const pair = `{ certFile: ${server.certFile}, keyFile: ${server.keyFile} }`;
  const { tls } = listenerFrom(`{ address: 127.0.0.1:0, tls: { certificates: [${pair}], ${rest} } }`);
  assert(tls !== null);
  return tls;
};

test('the authorities of clients and the key of tickets are in the plan; tickets that are off are null', () => {
  const tls = tlsFrom(
    `clientCertificate: { mode: optional, caFile: ${caFile} }, sessionTickets: { keyFile: ${ticketKeyFile} }`,
  );
  assert.deepEqual(tls.clientCertificate, { mode: 'optional', caPem: readFileSync(caFile, 'utf8') });
  assert.equal(tls.sessionTickets?.ticketKey, readFileSync(ticketKeyFile).toString('base64'));
  assert.equal(tlsFrom('sessionTickets: off').sessionTickets, null);
});

test('misdirected requests are rejected where clients are asked for certificates, unless somebody says otherwise', () => {
  const asked = `clientCertificate: { mode: optional, caFile: ${caFile} }`;
  assert.equal(tlsFrom('').rejectMisdirected, false);
  assert.equal(tlsFrom('misdirected: reject').rejectMisdirected, true);
  assert.equal(tlsFrom(asked).rejectMisdirected, true);
  assert.equal(tlsFrom(`${asked}, misdirected: allow`).rejectMisdirected, false);
});

test('HTTP/2 is switched off by a word and set by a number', () => {
  assert.equal(listenerFrom('{ address: 127.0.0.1:0, http2: false }').http2, false);
  assert.equal(listenerFrom('{ address: 127.0.0.1:0, http2: "false" }').http2, false);
  const some = listenerFrom('{ address: 127.0.0.1:0, h2c: true, http2: { maxConcurrentStreams: 7 } }');
  assert.deepEqual([some.http2, some.h2c, some.http2Settings.streamsMax], [true, true, 7]);
});

test('a PROXY protocol has its networks, its timeout and its bound', () => {
  const { proxyProtocol } = listenerFrom(
    '{ address: 127.0.0.1:0, proxyProtocol: { required: true, from: [10.0.0.0/8, unix] }, timeouts: { proxyHeader: 2s }, limits: { pendingProxyHeaders: 9 } }',
  );
  assert.deepEqual(proxyProtocol, { from: ['10.0.0.0/8', 'unix'], headerMs: 2_000, pendingMax: 9 });
});

test('a preset sets what is not written, and says so', () => {
  const { plan, origins } = loadedFrom({
    listeners:
      '{ main: { address: 127.0.0.1:0, preset: gcp-alb, timeouts: { keepAliveIdle: 11m }, trustedHeaders: [X-Forwarded-For] } }',
    routes: '[{ name: all, forward: { cluster: app } }]',
  });
  const { main } = plan.listeners;
  assert(main !== undefined);
  const { keepAliveIdleMs, trustedHops, trustedProxies, trustedHeaders, limits } = main;
  assert.deepEqual(
    [keepAliveIdleMs, trustedHops, trustedProxies, trustedHeaders, limits.requestMs],
    [660_000, 2, ['35.191.0.0/16', '130.211.0.0/22'], ['x-forwarded-for'], 25_000],
  );
  const of = (path: string) => origins.get(path)?.replace(/:\d+:\d+/, '');
  for (const path of ['listeners.main.keepAliveIdleMs', 'listeners.main.trustedHeaders.0'])
    assert.equal(of(path), 'test.yaml', path);
  for (const path of [
    'listeners.main.trustedHops',
    'listeners.main.trustedProxies.1',
    'listeners.main.limits.requestMs',
    'routes.all.listeners.main.requestMs',
  ])
    assert.equal(of(path), 'test.yaml (preset gcp-alb)', path);
  assert.equal(of('listeners.main.headMs'), 'default');
});

test('every preset is longer idle than its balancer, and gives up sooner', () => {
  const idleMs = { 'aws-alb': 60_000, 'aws-nlb-ppv2': 350_000, 'gcp-alb': 600_000, 'azure-appgw': 240_000 };
  const answerMs = { 'aws-alb': 60_000, 'aws-nlb-ppv2': 350_000, 'gcp-alb': 30_000, 'azure-appgw': 20_000 };
  for (const name of PRESET_NAMES) {
    const { keepAliveIdleMs, limits } = listenerFrom(
      `{ address: 127.0.0.1:0, preset: ${name}, trustedProxies: [10.0.0.0/16], proxyProtocol: { from: [10.0.0.0/16] } }`,
    );
    assert.ok(keepAliveIdleMs > idleMs[name], name);
    assert.ok((limits.requestMs ?? Number.POSITIVE_INFINITY) < answerMs[name], name);
  }
});
