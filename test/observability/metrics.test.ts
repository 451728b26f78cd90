import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../src/observability/metrics.ts';
import { attemptRecord, requestRecord } from './records.ts';

/** The series that have counted something. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  return (await allSamples(metrics, name)).filter(line => !line.endsWith(' 0'));
}

async function allSamples(metrics: Metrics, name: string): Promise<string[]> {
  const { text } = await metrics.scrape('');
  return text.split('\n').filter(line => line.startsWith(`fairlead_${name}`));
}

test('a request counts once for its route, and each attempt for its endpoint', async () => {
  const metrics = new Metrics('1.0.0');
  const route = metrics.route('main', 'api');
  const cluster = metrics.cluster('app', ['a:80', 'b:80']);
  const attempts = [
    attemptRecord({ endpoint: 'a:80', status: null, firstByteMs: null, reason: 'connect_refused' }),
    attemptRecord({ endpoint: 'b:80', connectMs: 0, reused: true }),
  ];
  metrics.requestFinished(requestRecord({ attempts }), route, cluster, 1.5);
  metrics.requestFinished(requestRecord({ attempts: [], status: 404, reason: 'no_route' }), route, null, 0);
  assert.deepEqual(await samples(metrics, 'requests_total'), [
    'fairlead_requests_total{listener="main",route="api",code="200"} 1',
    'fairlead_requests_total{listener="main",route="api",code="404"} 1',
  ]);
  assert.deepEqual(await samples(metrics, 'failures_total'), [
    'fairlead_failures_total{reason="no_route",route="api"} 1',
  ]);
  assert.deepEqual(await samples(metrics, 'upstream_attempts_total'), [
    'fairlead_upstream_attempts_total{cluster="app",endpoint="a:80",result="connect_refused"} 1',
    'fairlead_upstream_attempts_total{cluster="app",endpoint="b:80",result="2xx"} 1',
  ]);
  assert.deepEqual(await samples(metrics, 'retries_total'), [
    'fairlead_retries_total{cluster="app",result="success"} 1',
  ]);
  assert.deepEqual(
    await samples(metrics, 'upstream_connect_seconds_count'),
    ['fairlead_upstream_connect_seconds_count{cluster="app"} 1'],
    'a reused connection was not opened',
  );
  assert.deepEqual(await samples(metrics, 'upstream_first_byte_seconds_count'), [
    'fairlead_upstream_first_byte_seconds_count{cluster="app"} 1',
  ]);
  assert.deepEqual(
    await samples(metrics, 'proxy_overhead_seconds_sum'),
    ['fairlead_proxy_overhead_seconds_sum 0.0015'],
    'a request that no backend was asked for has no overhead to speak of',
  );
});

test('what a reload removes is gone from the next scrape, and what stays keeps its counts', async () => {
  const metrics = new Metrics('1.0.0');
  const assemble = (routes: string[], clusters: Record<string, string[]>) => {
    const handles = routes.map(route => metrics.route('main', route));
    const bound = Object.entries(clusters).map(([name, endpoints]) => metrics.cluster(name, endpoints));
    metrics.retainUsed();
    return { handles, bound };
  };
  metrics.limiter('goes/0');
  const first = assemble(['stays', 'goes'], { app: ['a:80', 'b:80'], old: ['c:80', 'never-asked:80'] });
  const finish = () => {
    const [stays, goes] = first.handles;
    const [app, old] = first.bound;
    assert(stays && goes && app && old);
    const both = [attemptRecord({ endpoint: 'a:80' }), attemptRecord({ endpoint: 'b:80' })];
    metrics.requestFinished(requestRecord({ attempts: both }), stays, app, 1);
    const twice = [attemptRecord({ endpoint: 'c:80' }), attemptRecord({ endpoint: 'c:80' })];
    metrics.requestFinished(
      requestRecord({ attempts: twice, status: 502, reason: 'bad_response' }),
      goes,
      old,
      1,
    );
  };
  const late = () => {
    metrics.clusters.healthChanged('old', 'never-asked:80', 'unhealthy');
    metrics.clusters.disagreed('old', 'c:80');
    metrics.clusters.retryRefused('old', 'budget_empty');
    metrics.rateLimited('goes/0', 'enforce');
  };
  finish();
  late();
  metrics.clusters.healthChanged('app', 'b:80', 'ejected');
  metrics.clusters.healthChanged('old', 'c:80', 'ejected');
  const stale = /route="goes"|cluster="old"|b:80|c:80|goes\/0/;
  assert.match((await metrics.scrape('')).text, stale);

  assemble(['stays'], { app: ['a:80'] });
  finish(); // requests that began before the reload end after it
  late(); // and so does what is said of them
  const { text } = await metrics.scrape('');
  assert.doesNotMatch(text, stale);
  assert.match(text, /requests_total\{listener="main",route="stays",code="200"\} 2/);
  assert.match(text, /upstream_attempts_total\{cluster="app",endpoint="a:80",result="2xx"\} 2/);

  const again = assemble(['stays', 'goes'], { app: ['a:80', 'b:80'] });
  const [, back] = again.handles;
  const [app] = again.bound;
  assert(back && app);
  metrics.requestFinished(requestRecord({ attempts: [attemptRecord({ endpoint: 'b:80' })] }), back, app, 1);
  const after = (await metrics.scrape('')).text;
  assert.match(after, /requests_total\{listener="main",route="goes",code="200"\} 1/, 'counts from anew');
  assert.match(after, /endpoint="b:80",result="2xx"\} 1/);
});

test('a route that one of two listeners still serves keeps its durations and failures', async () => {
  const metrics = new Metrics('1.0.0');
  const here = metrics.route('here', 'api');
  const there = metrics.route('there', 'api');
  for (const handles of [here, there])
    metrics.requestFinished(requestRecord({ reason: 'bad_response' }), handles, null, 0);
  metrics.listeners.count('refused', 'there', 'listener', 3);
  metrics.retainUsed();
  metrics.route('here', 'api');
  metrics.retainUsed();
  assert.deepEqual(await samples(metrics, 'requests_total'), [
    'fairlead_requests_total{listener="here",route="api",code="200"} 1',
  ]);
  assert.deepEqual(await samples(metrics, 'request_duration_seconds_count'), [
    'fairlead_request_duration_seconds_count{route="api"} 2',
  ]);
  assert.deepEqual(await samples(metrics, 'failures_total'), [
    'fairlead_failures_total{reason="bad_response",route="api"} 2',
  ]);
  assert.deepEqual(await samples(metrics, 'connections_refused_total'), []);
});

test('a rejected reload is visible until the next one succeeds', async () => {
  const metrics = new Metrics('1.0.0');
  const ok = async () => (await allSamples(metrics, 'config_last_reload_successful'))[0]?.at(-1);
  assert.equal(await ok(), '1');
  metrics.reloaded('rejected');
  assert.equal(await ok(), '0');
  metrics.reloaded('unchanged');
  assert.equal(await ok(), '1');
});

test('what an alert asks increase() of is there, at 0, before it first happens', async () => {
  const metrics = new Metrics('1.0.0');
  metrics.route('main', 'api');
  metrics.cluster('app', ['a:80']);
  metrics.limiter('api/0');
  metrics.store('shared');
  metrics.retainUsed();
  const { text } = await metrics.scrape('');
  for (const series of [
    'requests_total{listener="main",route="api",code="502"}',
    'failures_total{reason="tls_failed",route="api"}',
    'failures_total{reason="internal",route="api"}',
    'upstream_attempts_total{cluster="app",endpoint="a:80",result="connect_refused"}',
    'endpoint_ejections_total{cluster="app",endpoint="a:80"}',
    'endpoint_transitions_total{cluster="app",endpoint="a:80",to="unhealthy"}',
    'endpoint_disagreements_total{cluster="app",endpoint="a:80"}',
    'retries_total{cluster="app",result="success"}',
    'retries_refused_total{cluster="app",why="budget_empty"}',
    'rate_limited_total{limiter="api/0",mode="enforce"}',
    'limit_store_errors_total{store="shared",cause="timeout"}',
    'connections_refused_total{listener="main",cause="clientIp"}',
    'connections_cut_total{listener="main",cause="flood"}',
    'tls_refused_total{listener="main",cause="certificate"}',
    'proxy_protocol_refused_total{listener="main",cause="malformed"}',
    'overload_shed_total{signal="heap"}',
    'spans_dropped_total{cause="send_failed"}',
    'config_reloads_total{result="rejected"}',
    'events_total{event="defect"}',
    'log_lines_dropped_total',
  ])
    assert.ok(text.includes(`\nfairlead_${series} 0\n`), series);
});

test('a route and an endpoint that a reload adds start at 0 too, and those that it removes leave nothing', async () => {
  const metrics = new Metrics('1.0.0');
  const assemble = async (route: string, endpoints: string[]) => {
    metrics.route('main', route);
    metrics.cluster('app', endpoints);
    metrics.retainUsed();
    return (await metrics.scrape('')).text;
  };
  await assemble('first', ['a:80']);
  const text = await assemble('second', ['b:80']);
  assert.match(text, /failures_total\{reason="tls_failed",route="second"\} 0/);
  assert.match(text, /attempts_total\{cluster="app",endpoint="b:80",result="tls_failed"\} 0/);
  assert.doesNotMatch(text, /"first"|a:80/);
  const back = await assemble('first', ['a:80']);
  assert.match(back, /attempts_total\{cluster="app",endpoint="a:80",result="tls_failed"\} 0/);
});

test('with very many routes and endpoints only the first fifty start at 0: a scrape must stay short', async () => {
  const metrics = new Metrics('1.0.0');
  for (let at = 0; at < 500; at++) metrics.route('main', `r${at}`);
  for (let at = 0; at < 50; at++)
    metrics.cluster(
      `c${at}`,
      Array.from({ length: 10 }, (_, number) => `10.0.${at}.${number}:80`),
    );
  const series = (name: string, rest: string) => allSamples(metrics, `${name}{${rest}`);
  assert.equal((await series('failures_total', 'reason="tls_failed"')).length, 50);
  const attempts = (await allSamples(metrics, 'upstream_attempts_total')).filter(line =>
    line.includes('result="tls_failed"'),
  );
  assert.equal(attempts.length, 50);
});

test('two scrapers of different formats get each its own, again and again', async () => {
  const metrics = new Metrics('1.0.0');
  metrics.reloaded('applied');
  for (let round = 0; round < 2; round++) {
    const open = await metrics.scrape('application/openmetrics-text');
    assert.match(open.contentType, /^application\/openmetrics-text; version=1\.0\.0/);
    assert.match(open.text, /# TYPE fairlead_config_reloads counter\nfairlead_config_reloads_total\{/);
    const plain = await metrics.scrape('*/*');
    assert.match(plain.contentType, /^text\/plain; version=0\.0\.4/);
    assert.match(plain.text, /# TYPE fairlead_config_reloads_total counter\nfairlead_config_reloads_total\{/);
  }
});

test('a scrape of 200 routes and 200 endpoints writes few histograms, and costs about what its text costs', async () => {
  const metrics = new Metrics('1.0.0');
  for (let at = 0; at < 20; at++) {
    const endpoints = Array.from({ length: 10 }, (_, number) => `10.0.${at}.${number}:80`);
    const cluster = metrics.cluster(`c${at}`, endpoints);
    for (const [number, endpoint] of endpoints.entries()) {
      const route = metrics.route('main', `r${at}-${number}`);
      for (const status of [200, 404, 500])
        metrics.requestFinished(
          requestRecord({ status, attempts: [attemptRecord({ endpoint, status })] }),
          route,
          cluster,
          1,
        );
    }
  }
  const { text } = await metrics.scrape('');
  const histograms = text.split('\n').filter(line => /^\w+_count(?:\{| )/.test(line)).length;
  assert.ok(histograms <= 300, `${histograms} histograms: 1,800 of them took 136 ms`);
  // Time itself would speak of how busy the machine is: the same text, line by line, is the measure. The shortest of each counts.
  let scrapeMs = Number.POSITIVE_INFINITY;
  let textMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round++) {
    scrapeMs = Math.min(scrapeMs, await durationOf(() => metrics.scrape('')));
    textMs = Math.min(textMs, await durationOf(() => rewriteLines(text)));
  }
  assert.ok(scrapeMs < 30 * textMs, `a scrape of ${scrapeMs} ms, a text of ${textMs} ms`);
});

async function durationOf(work: () => unknown): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

/** Looks at every line and builds every line: what any way of writing this text has to do. */
function rewriteLines(text: string): string {
  let written = '';
  for (const line of text.split('\n')) written += `${line.replace(/"/g, "'")}\n`;
  return Buffer.from(written).toString();
}
