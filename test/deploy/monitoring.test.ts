// What examples/deploy has for Prometheus and Grafana speaks of metrics that a running Fairlead really has.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { answer } from '../support/backend_behaviours.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { needs, program } from '../support/programs.ts';
import { ROOT, startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

const DASHBOARD = join(ROOT, 'examples/deploy/grafana-dashboard.json');
const ALERTS = join(ROOT, 'examples/deploy/alerts.yaml');

const ALERTS_TEST = join(ROOT, 'test/deploy/alerts_test.yaml');

/** A scrape of a proxy that has answered a request. */
async function scrape(): Promise<string> {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy({
    ...forwardTo([backend.address]),
    admin: { address: '127.0.0.1:0' },
  });
  await fetchRaw(proxy.target(), '/');
  return (await fetchRaw(proxy.admin(), '/metrics', { headers: ['Host', 'localhost'] })).text;
}

/** Ours, and the standard ones of a process and of Node.js. */
function namesIn(text: string): Set<string> {
  return new Set(Array.from(text.matchAll(/\b(?:fairlead|process|nodejs)_[a-z_]+/g), ([name]) => name));
}

test('the dashboard, the alerts and the documentation name only metrics that exist', async () => {
  const known = new Set<string>();
  for (const [, name = '', type] of (await scrape()).matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    known.add(name);
    if (type === 'histogram') for (const end of ['bucket', 'sum', 'count']) known.add(`${name}_${end}`);
  }
  for (const [file, atLeast] of [
    [DASHBOARD, 30],
    [ALERTS, 10],
    [join(ROOT, 'docs/operations.md'), 3],
    [join(ROOT, 'docs/reasons.md'), 5],
  ] as const) {
    const named = namesIn(readFileSync(file, 'utf8'));
    assert.ok(named.size >= atLeast, `${named.size} in ${file}`);
    assert.deepEqual(
      [...named].filter(name => !known.has(name)),
      [],
      file,
    );
  }
});

test('each panel of the dashboard asks for something, and no two have the same place', () => {
  const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8'));
  const places = panels.map(({ gridPos: { x, y } }: { gridPos: { x: number; y: number } }) => `${x},${y}`);
  assert.equal(new Set(places).size, panels.length);
  for (const { type, title, targets } of panels) {
    if (type !== 'row') assert.ok(targets.length > 0 && namesIn(targets[0].expr).size > 0, title);
  }
});

test('metrics that every program has are asked of Fairlead only', () => {
  const isOfAny = /\b(?:process|nodejs)_[a-z_]+/;
  const exprs = JSON.parse(readFileSync(DASHBOARD, 'utf8'))
    .panels.flatMap(({ targets }: { targets?: { expr: string }[] }) => targets ?? [])
    .map(({ expr }: { expr: string }) => expr)
    .filter((expr: string) => isOfAny.test(expr));
  assert.ok(exprs.length > 5);
  for (const expr of exprs) assert.match(expr, /\{job=~"\$job",instance=~"\$instance"\}/);
  const alerts = readFileSync(ALERTS, 'utf8').match(/expr: .*/g) ?? [];
  const ofAny = alerts.filter(expr => isOfAny.test(expr));
  assert.equal(ofAny.length, 1);
  for (const expr of ofAny) assert.match(expr, /and on \(job, instance\) fairlead_build_info/);
});

test('promtool is content with the alerts', needs('promtool'), () => {
  execFileSync(program('promtool'), ['check', 'rules', ALERTS], { encoding: 'utf8' });
});

test('each alert fires on what it is for, the first time that it happens', needs('promtool'), () => {
  const names = (text: string, pattern: RegExp) =>
    new Set(Array.from(text.matchAll(pattern), ([, name]) => name));
  const fired = names(
    readFileSync(ALERTS_TEST, 'utf8'),
    /alertname: (\w+)\n +eval_time: .*\n +exp_alerts:\n/g,
  );
  assert.deepEqual(fired, names(readFileSync(ALERTS, 'utf8'), /alert: (\w+)/g), 'an alert without a test');
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-alerts-'));
  try {
    for (const file of [ALERTS, ALERTS_TEST]) copyFileSync(file, join(folder, basename(file)));
    execFileSync(program('promtool'), ['test', 'rules', basename(ALERTS_TEST)], {
      cwd: folder,
      stdio: 'pipe',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a dashboard can be narrowed to an instance, a cluster and a route', () => {
  const { templating, panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8'));
  const variables = templating.list.map(({ name }: { name: string }) => name);
  assert.deepEqual(variables, ['datasource', 'job', 'instance', 'cluster', 'route']);
  const exprs: string[] = panels.flatMap(({ targets = [] }: { targets?: { expr: string }[] }) =>
    targets.map(({ expr }) => expr),
  );
  for (const expr of exprs) assert.match(expr, /instance=~"\$instance"/);
  const byLabel = {
    cluster: /by \([^)]*cluster|fairlead_(?:upstream|retries|circuit|queue|pool)_/,
    route: /failures_total|requests_total/,
  };
  for (const [label, named] of Object.entries(byLabel))
    for (const expr of exprs.filter(one => named.test(one)))
      assert.ok(expr.includes(`${label}=~"$${label}"`), expr);
});

test('promtool is content with the metrics', needs('promtool'), async () => {
  execFileSync(program('promtool'), ['check', 'metrics'], { input: await scrape(), encoding: 'utf8' });
});
