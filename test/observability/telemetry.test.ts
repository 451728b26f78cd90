import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../src/observability/events.ts';
import type { LoggingSettings } from '../../src/observability/logging.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { ProcessTelemetry } from '../../src/observability/telemetry.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { requestRecord } from './records.ts';

const SETTINGS: LoggingSettings = {
  level: 'info',
  format: 'auto',
  time: 'epoch',
  file: null,
  access: { enabled: true, sample: 1, redactQuery: [], format: 'json' },
  explainFrom: [],
};
const FACTS = {
  decisionFacts: () => ({
    peerTrusted: false,
    clientSource: 'connection' as const,
    connectionIp: '192.0.2.1',
    policy: null,
    rateLimits: [],
    head: null,
  }),
};

function telemetryWith(settings: LoggingSettings) {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line)),
    reopen() {},
    flush: async () => {},
  };
  const metrics = new Metrics('1.0.0');
  const telemetry = new ProcessTelemetry(settings, destination, metrics, new FakeClock(), seededRandom(7));
  const finish = (change: Parameters<typeof requestRecord>[0] = {}) =>
    telemetry.requestFinished(
      requestRecord(change),
      metrics.route('main', 'all'),
      metrics.cluster('app'),
      FACTS,
    );
  return { lines, metrics, telemetry, finish };
}

test('a request is one line and one count', async () => {
  const { lines, metrics, finish } = telemetryWith(SETTINGS);
  finish();
  assert.equal(lines.length, 1);
  assert.match((await metrics.scrape('')).text, /requests_total\{[^}]*\} 1/);
});

test('sampling drops successes only, and no counts', async () => {
  const { lines, metrics, finish } = telemetryWith({
    ...SETTINGS,
    access: { enabled: true, sample: 0.1, redactQuery: [], format: 'json' },
  });
  for (let count = 0; count < 1_000; count++) finish();
  assert.ok(lines.length > 60 && lines.length < 140, `${lines.length} of 1000 with sample 0.1`);
  const before = lines.length;
  for (let count = 0; count < 50; count++) finish({ reason: 'connect_refused', status: 502 });
  assert.equal(lines.length, before + 50);
  for (let count = 0; count < 50; count++) finish({ status: 503 }); // the backend's own
  assert.equal(lines.length, before + 100);
  assert.match((await metrics.scrape('')).text, /code="200"\} 1000\n/);
});

test('a reload changes what is logged at once: level, access lines, masked parameters', () => {
  const { lines, telemetry, finish } = telemetryWith(SETTINGS);
  const opened: Event = { kind: 'listener_opened', listener: 'main', address: '127.0.0.1:1' };
  telemetry.emit(opened);
  assert.equal(lines.at(-1)?.['event'], 'listener_opened');
  telemetry.setSettings({
    ...SETTINGS,
    level: 'error',
    access: { enabled: true, sample: 1, redactQuery: ['b'], format: 'json' },
  });
  const before = lines.length;
  telemetry.emit(opened);
  assert.equal(lines.length, before, 'info is below error');
  finish({ path: '/a?b=secret' });
  assert.equal(lines.at(-1)?.['path'], '/a?b=***');
  telemetry.setSettings({
    ...SETTINGS,
    access: { enabled: false, sample: 1, redactQuery: [], format: 'json' },
  });
  telemetry.emit(opened);
  finish({ reason: 'no_route' });
  assert.equal(lines.length, before + 2, 'access lines are off, events are not');
});

test('what went wrong has a level that an alert can look for', () => {
  const { lines, telemetry } = telemetryWith(SETTINGS);
  const levelOf = (event: Event) => {
    telemetry.emit(event);
    return lines.at(-1)?.['level'];
  };
  const health = {
    kind: 'health_changed',
    cluster: 'app',
    endpoint: 'a',
    endpointLabel: 'a',
    cause: 'x',
  } as const;
  assert.equal(levelOf({ ...health, from: 'healthy', to: 'ejected' }), 40);
  assert.equal(levelOf({ ...health, from: 'ejected', to: 'healthy' }), 30);
  const reload = { kind: 'reload', trigger: 'signal', plan: 'p', problems: [], tookMs: 1 } as const;
  assert.equal(levelOf({ ...reload, result: 'applied' }), 30);
  assert.equal(levelOf({ ...reload, result: 'rejected' }), 50);
  assert.equal(levelOf({ kind: 'defect', requestId: 'r', detail: 'd' }), 50);
  assert.equal(levelOf({ kind: 'warning', message: 'm' }), 40);
});

test('an event is its line and its count', async () => {
  const { lines, metrics, telemetry } = telemetryWith(SETTINGS);
  metrics.route('main', 'all');
  metrics.cluster('c', ['e']);
  metrics.limiter('limit');
  telemetry.emit({ kind: 'connections_refused', listener: 'main', cause: 'clientIp', count: 12 });
  telemetry.emit({
    kind: 'health_changed',
    cluster: 'c',
    endpoint: 'e',
    endpointLabel: 'e',
    from: 'a',
    to: 'ejected',
    cause: 'x',
  });
  telemetry.emit({
    kind: 'reload',
    trigger: 'admin',
    plan: 'p',
    problems: ['one'],
    tookMs: 3,
    result: 'rejected',
  });
  telemetry.rateLimited('limit', 'shadow');
  assert.deepEqual(lines[2], {
    level: 50,
    time: lines[2]?.['time'],
    event: 'reload',
    trigger: 'admin',
    plan: 'p',
    problems: ['one'],
    tookMs: 3,
    result: 'rejected',
  });
  const { text } = await metrics.scrape('');
  assert.match(text, /connections_refused_total\{listener="main",cause="clientIp"\} 12/);
  assert.match(text, /endpoint_ejections_total\{cluster="c",endpoint="e"\} 1/);
  assert.match(text, /config_reloads_total\{result="rejected"\} 1/);
  assert.match(text, /rate_limited_total\{limiter="limit",mode="shadow"\} 1/);
});
