// Phase 5: everything is down, and a rolling restart. The proxy never makes it worse.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackendProcess } from '../support/backend_process.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxyProcess } from '../support/proxy_under_test.ts';
import { SteadyLoad } from '../support/steady_load.ts';

const INTERVAL_MS = 500;

const config = (backends: readonly BackendProcess[]) =>
  forwardTo(
    backends.map(({ address }) => address),
    {
      route: { retries: { attempts: 2, on: ['connect', 'reset', '503'] } },
      cluster: {
        loadBalancing: { policy: 'roundRobin' },
        health: {
          active: {
            path: '/healthz',
            interval: `${INTERVAL_MS}ms`,
            timeout: '200ms',
            healthyAfter: 1,
            unhealthyAfter: 2,
          },
          passive: { consecutiveFailures: 5, ejectFor: '1s' },
        },
      },
    },
  );

test('with all backends down responses come at once, retries stay within their budget, and a recovered backend serves', async () => {
  await using one = await BackendProcess.start();
  await using two = await BackendProcess.start();
  await using three = await BackendProcess.start();
  await using proxy = await startProxyProcess(config([one, two, three]));
  await proxy.lines.next({ event: 'health_changed', to: 'healthy' }, 3);
  const load = new SteadyLoad(proxy.target().port, { perSecond: 200 });
  await load.answered(100);
  await Promise.all([one.kill(), two.kill(), three.kill()]);
  const downMs = load.nowMs;
  await proxy.lines.next({ event: 'health_changed', to: 'unhealthy' }, 3);
  await load.answered(200);

  const backMs = load.nowMs;
  await two.comeBack();
  const first = await load.until(({ status }) => status === 200);
  // The pause between probes of an endpoint that stays down has grown; it is at most twice the interval by now.
  const waitedMs = first.atMs - backMs;
  assert.ok(
    waitedMs < 2 * 1.2 * INTERVAL_MS + 1_000,
    `service was back ${Math.round(waitedMs)} ms after it returned`,
  );
  await load.answered(50);
  const sent = await load.stop();

  const failed = sent.filter(({ status }) => status !== 200);
  for (const { status, text } of failed) {
    assert.ok(status === 502 || status === 503, `${status} ${text}`);
    assert.match(text, /connect_refused|no_healthy_backend|reset_before_head/);
  }
  const slow = failed.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const p99 = slow[Math.floor(slow.length * 0.99)] ?? 0;
  assert.ok(p99 < 700, `failures took ${Math.round(p99)} ms (p99): the pauses of two retries and no more`);
  assert.ok(
    failed.every(({ atMs }) => atMs > downMs - 1_000),
    'nobody failed before',
  );

  const lines = proxy.lines.find(({ attempts }) => Array.isArray(attempts));
  const attempts = lines.reduce((sum, line) => sum + (line['attempts'] as unknown[]).length, 0);
  const seconds = (load.nowMs + 500) / 1_000;
  const bound = 1.2 * sent.length + 10 * seconds;
  assert.ok(attempts <= bound, `${attempts} attempts for ${sent.length} requests in ${seconds.toFixed(1)} s`);
});

test('a rolling restart, with backends that close kept connections without notice: no failed GET, no POST twice', async () => {
  await using one = await BackendProcess.start();
  await using two = await BackendProcess.start();
  await using three = await BackendProcess.start();
  const backends = [one, two, three];
  await using proxy = await startProxyProcess(config(backends));
  await proxy.lines.next({ event: 'health_changed', to: 'healthy' }, 3);
  for (const backend of backends) backend.behave('close_each_third');
  const load = new SteadyLoad(proxy.target().port, { perSecond: 200, postEach: 5 });
  await load.answered(100);
  const reports = [];
  const deaths: { readonly beganMs: number; readonly endedMs: number }[] = [];
  for (const backend of backends) {
    reports.push(await backend.report());
    const beganMs = load.nowMs;
    await backend.kill();
    deaths.push({ beganMs, endedMs: load.nowMs });
    await backend.comeBack();
    backend.behave('close_each_third');
    await load.answered(200);
  }
  const sent = await load.stop();
  for (const backend of backends) reports.push(await backend.report());

  const failed = sent.filter(({ status }) => status !== 200);
  assert.deepEqual(
    failed.filter(({ method }) => method === 'GET'),
    [],
    'no GET fails',
  );
  const posts = failed.filter(({ method }) => method === 'POST');
  // How many were under way when a backend died is a matter of the machine.
  const lost = posts.filter(
    ({ atMs, tookMs }) => !deaths.some(({ beganMs, endedMs }) => atMs <= endedMs && atMs + tookMs >= beganMs),
  );
  // A POST may meet the end of its kept connection on the way, and must not be repeated then (RFC 9110 section 9.2.2).
  for (const { text } of lost) {
    const line = await proxy.lines.next({ requestId: JSON.parse(text).instance });
    const last = (line['attempts'] as { reused: boolean }[]).at(-1);
    assert.equal(last?.reused, true, 'a POST failed on a connection of its own');
  }
  for (const { text } of posts) assert.match(text, /reset_before_head/);
  for (const { repeated } of reports)
    assert.deepEqual(
      repeated.filter(id => id.startsWith('POST')),
      [],
    );
});
