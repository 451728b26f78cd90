import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadedFrom } from '../config_text.ts';

test('a plan has every default of the process written out', () => {
  const { plan } = loadedFrom({});
  assert.deepEqual(plan.admin, { address: null, token: null });
  assert.deepEqual(plan.process, {
    drain: { delayMs: 0, timeoutMs: 30_000 },
    reload: { watch: true, historyMax: 5, probation: null },
    overload: { eventLoopDelayMs: 200, heapRatio: 0.9 },
    connectionsMax: 20_000,
    bufferedBytesMax: 268_435_456,
  });
  assert.deepEqual(plan.logging, {
    level: 'info',
    format: 'auto',
    time: 'epoch',
    file: null,
    access: { enabled: true, sample: 1, format: 'json', redactQuery: [] },
    explainFrom: [],
  });
  assert.deepEqual(plan.tracing, { propagate: true, start: true, otlp: null });
});

test('a written value takes precedence over the default', () => {
  const { plan } = loadedFrom({
    top: [
      'admin: { address: "[::1]:9901" }',
      'process: { drain: { delay: 5s, timeout: 1m }, reload: { watch: false, history: 2 }, overload: { eventLoopDelay: off, heapRatio: 0.8 }, connections: 10, bufferedBytes: off }',
      'logging: { level: debug, format: json, time: iso, file: log/fairlead.log, access: { sample: 0.1, format: combined, redactQuery: [token] }, explain: { from: [10.0.0.0/8] } }',
      'tracing: { propagate: false }',
    ].join('\n'),
  });
  assert.deepEqual(plan.admin.address, { kind: 'tcp', host: '::1', port: 9_901 });
  assert.deepEqual(plan.process, {
    drain: { delayMs: 5_000, timeoutMs: 60_000 },
    reload: { watch: false, historyMax: 2, probation: null },
    overload: { eventLoopDelayMs: null, heapRatio: 0.8 },
    connectionsMax: 10,
    bufferedBytesMax: null,
  });
  assert.deepEqual(plan.logging, {
    level: 'debug',
    format: 'json',
    time: 'iso',
    file: '/etc/fairlead/log/fairlead.log',
    access: { enabled: true, sample: 0.1, format: 'combined', redactQuery: ['token'] },
    explainFrom: ['10.0.0.0/8'],
  });
  assert.equal(plan.tracing.propagate, false);
});

test('off is off', () => {
  assert.equal(loadedFrom({ top: 'admin: off' }).plan.admin.address, null);
  assert.equal(loadedFrom({ top: 'admin: { address: off }' }).plan.admin.address, null);
  assert.equal(loadedFrom({ top: 'logging: { access: off }' }).plan.logging.access.enabled, false);
});

test('a socket is found relative to the configuration', () => {
  const { plan } = loadedFrom({
    top: 'admin: { address: "unix:run/admin.sock" }',
    clusters: '{ app: { endpoints: ["unix:../app.sock"] } }',
  });
  assert.deepEqual(plan.admin.address, { kind: 'unix', path: '/etc/fairlead/run/admin.sock' });
  assert.deepEqual(plan.clusters.app?.endpoints[0]?.address, { kind: 'unix', path: '/etc/app.sock' });
});

test('routes are sorted most specific first, whatever their order in the file', () => {
  const routes = [
    '{ name: any }',
    '{ name: prefix, match: { path: { prefix: /a } } }',
    '{ name: exact, match: { path: { exact: /a } } }',
    '{ name: host, match: { hosts: [a.example] } }',
    '{ name: other, match: { hosts: [b.example] } }',
  ].map(text => text.replace(/ }$/, ', forward: { cluster: app } }'));
  const names = (list: readonly string[]): string[] =>
    loadedFrom({ routes: `[${list.join(', ')}]` }).plan.routes.map(({ name }) => name);
  assert.deepEqual(names(routes), ['host', 'other', 'exact', 'prefix', 'any']);
  assert.deepEqual(names(routes.toReversed()), ['host', 'other', 'exact', 'prefix', 'any']);
});

test('listeners and clusters are in the order of their names', () => {
  const { plan } = loadedFrom({ listeners: '{ b: { address: 127.0.0.1:1 }, a: { address: 127.0.0.1:2 } }' });
  assert.deepEqual(Object.keys(plan.listeners), ['a', 'b']);
  assert.deepEqual(Object.keys(plan.routes[0]?.listeners ?? {}), ['a', 'b']);
});

const OTLP = { top: 'tracing: { otlp: { endpoint: "http://c:4318" } }' };

test('the resource of spans is complete in the plan, and each attribute says where it comes from', () => {
  const { plan, origins } = loadedFrom(
    { top: 'tracing: { otlp: { endpoint: "http://c:4318", resource: { zone: b } } }' },
    { OTEL_SERVICE_NAME: 'edge', OTEL_RESOURCE_ATTRIBUTES: 'zone=a,host.name=h%201' },
  );
  assert.deepEqual(plan.tracing.otlp?.resource, { 'host.name': 'h 1', 'service.name': 'edge', zone: 'b' });
  const base = 'tracing.otlp.resource';
  assert.deepEqual(
    ['host.name', 'service.name', 'zone'].map(name => origins.get(`${base}.${name}`)),
    ['$OTEL_RESOURCE_ATTRIBUTES', '$OTEL_SERVICE_NAME', origins.get(`${base}.zone`)],
  );
  assert.match(origins.get(`${base}.zone`), /^test\.yaml:\d+:\d+$/);
  const unset = loadedFrom(OTLP);
  assert.deepEqual(unset.plan.tracing.otlp?.resource, { 'service.name': 'fairlead' });
  assert.equal(unset.origins.get(`${base}.service.name`), 'default');
});

test('a malformed OTEL_RESOURCE_ATTRIBUTES is ignored with a warning, and only where spans are exported', () => {
  const env = { OTEL_RESOURCE_ATTRIBUTES: 'a=1,oops' };
  const { plan, warnings } = loadedFrom(OTLP, env);
  assert.deepEqual(plan.tracing.otlp?.resource, { 'service.name': 'fairlead' });
  assert.deepEqual(
    warnings.map(({ message, path }) => [message, path]),
    [['the environment variable OTEL_RESOURCE_ATTRIBUTES is ignored: "oops" has no "="', 'tracing.otlp']],
  );
  assert.deepEqual(loadedFrom({}, env).warnings, []);
});
