import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ca, caFile, client } from '../../support/certificates.ts';
import { loadedFrom } from '../config_text.ts';

const clusterFrom = (text: string) => {
  const cluster = loadedFrom({ clusters: `{ app: ${text} }` }).plan.clusters.app;
  assert(cluster !== undefined);
  return cluster;
};

test('a cluster with nothing but an endpoint has every default', () => {
  assert.deepEqual(clusterFrom('{ endpoints: [127.0.0.1:9000] }'), {
    name: 'app',
    endpoints: [
      { address: { kind: 'tcp', host: '127.0.0.1', port: 9_000 }, weight: 1, tier: 0, refreshMs: null },
    ],
    protocol: 'http1',
    required: false,
    tls: null,
    policy: 'leastRequests',
    slowStartMs: null,
    panicBelow: null,
    pool: {
      connectionsMax: 128,
      queueMax: 1024,
      queueTimeoutMs: 1_000,
      idleMs: 4_000,
      requestsMax: 1_000,
      ageMsMax: 3_600_000,
      connectTimeoutMs: 3_000,
    },
    health: { active: null, passive: null },
    circuitBreaker: null,
    retryBudget: { ratio: 0.2, perSecondMin: 10 },
  });
});

test('passive health is on by default where there is another endpoint', () => {
  const passive = { consecutiveFailures: 5, failureShare: null, ejectMs: 30_000, ejectedRatioMax: 0.5 };
  assert.equal(clusterFrom('{ endpoints: [10.0.0.1:1] }').health.passive, null);
  assert.deepEqual(
    clusterFrom('{ endpoints: [a:1] }').health.passive,
    passive,
    'a name may have several addresses',
  );
  assert.deepEqual(clusterFrom('{ endpoints: [a:1, b:1] }').health.passive, passive);
  assert.equal(clusterFrom('{ endpoints: [a:1, b:1], health: { passive: off } }').health.passive, null);
  assert.deepEqual(
    clusterFrom('{ endpoints: [a:1], health: { passive: { ejectFor: 5s } } }').health.passive,
    { ...passive, ejectMs: 5_000 },
  );
});

const QUESTION = { kind: 'http', method: 'GET', path: '/h', host: null, headers: [], body: null };

test('an active check asks for a status, or only connects', () => {
  const times = { intervalMs: 5_000, timeoutMs: 2_000, healthyAfter: 2, unhealthyAfter: 3 };
  const active = (text: string) =>
    clusterFrom(`{ endpoints: [a:1], health: { active: ${text} } }`).health.active;
  assert.deepEqual(active('{ path: /h }'), {
    probe: { ...QUESTION, statusMin: 200, statusMax: 399 },
    ...times,
  });
  assert.deepEqual(active('{ path: /h, expect: 204 }')?.probe, {
    ...QUESTION,
    statusMin: 204,
    statusMax: 204,
  });
  assert.deepEqual(active('{ path: /h, expect: "200-299" }')?.probe, {
    ...QUESTION,
    statusMin: 200,
    statusMax: 299,
  });
  assert.deepEqual(active('{ tcp: true }'), { probe: { kind: 'tcp' }, ...times });
  assert.equal(active('off'), null);
  assert.equal(
    active('{ tcp: true, interval: 500ms }')?.timeoutMs,
    500,
    'a probe never outlasts its interval',
  );
});

test('a circuit breaker exists when it is written, with defaults for the rest', () => {
  assert.deepEqual(clusterFrom('{ endpoints: [a:1], circuitBreaker: {} }').circuitBreaker, {
    failureRatio: 0.5,
    requestsMin: 20,
    windowMs: 10_000,
    openMs: 5_000,
  });
});

test('TLS to backends checks certificates by default, and has its material in the plan', () => {
  assert.deepEqual(clusterFrom('{ endpoints: [a:1], tls: {} }').tls, {
    verify: true,
    serverName: null,
    caPem: null,
    certPem: null,
    keyPem: null,
  });
  const tls = `{ caFile: ${caFile}, certFile: ${client.certFile}, keyFile: ${client.keyFile}, serverName: b.example }`;
  assert.deepEqual(clusterFrom(`{ endpoints: [a:1], tls: ${tls} }`).tls, {
    verify: true,
    serverName: 'b.example',
    caPem: ca,
    certPem: client.cert,
    keyPem: client.key,
  });
});

test('endpoints keep their order, weights and tiers; only names are looked up', () => {
  const { endpoints } = clusterFrom(
    '{ endpoints: [b:1, { address: "[::1]:2", weight: 3, tier: 1 }, "unix:/run/c.sock", { address: c:1, resolve: { refresh: 30s } }] }',
  );
  assert.deepEqual(endpoints, [
    { address: { kind: 'tcp', host: 'b', port: 1 }, weight: 1, tier: 0, refreshMs: 10_000 },
    { address: { kind: 'tcp', host: '::1', port: 2 }, weight: 3, tier: 1, refreshMs: null },
    { address: { kind: 'unix', path: '/run/c.sock' }, weight: 1, tier: 0, refreshMs: null },
    { address: { kind: 'tcp', host: 'c', port: 1 }, weight: 1, tier: 0, refreshMs: 30_000 },
  ]);
});

test('an active check can ask in other ways', () => {
  const probe = (text: string) =>
    clusterFrom(`{ endpoints: [10.0.0.1:1], protocol: h2c, health: { active: ${text} } }`).health.active
      ?.probe;
  assert.deepEqual(probe('{ path: /h, method: HEAD, host: a.test, headers: { x-probe: "1" } }'), {
    ...QUESTION,
    method: 'HEAD',
    host: 'a.test',
    headers: [['x-probe', '1']],
    statusMin: 200,
    statusMax: 399,
  });
  assert.deepEqual(probe('{ webSocket: true, path: /chat }'), {
    kind: 'webSocket',
    path: '/chat',
    host: null,
    headers: [],
  });
  assert.deepEqual(probe('{ grpc: true }'), { kind: 'grpc', service: '' });
  assert.deepEqual(probe('{ grpc: { service: shop.Cart } }'), { kind: 'grpc', service: 'shop.Cart' });
});

test('a share of failures is watched when it is written', () => {
  const { passive } = clusterFrom(
    '{ endpoints: [10.0.0.1:1], health: { passive: { failureRatio: 0.4, window: 5s } } }',
  ).health;
  assert.deepEqual(passive?.failureShare, { ratio: 0.4, requestsMin: 20, windowMs: 5_000 });
});
