// Phase 4: three backends, 200 requests a second, and one backend goes wrong. How many clients notice, how long until
// it is out, how long until it is back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackendProcess } from '../support/backend_process.ts';
import type { LogLine } from '../support/log_lines.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyProcess, startProxyProcess } from '../support/proxy_under_test.ts';
import { type Sent, SteadyLoad } from '../support/steady_load.ts';

const HEAD_MS = 500;
const INTERVAL_MS = 200;
/** Two probes, each at most a timeout and an interval with its jitter away, and room for a busy machine. */
const OUT_MS = 2 * (1.2 * INTERVAL_MS + INTERVAL_MS) + 1_500;

const SLOW_START_MS = 2_000;

interface Scene {
  readonly name: string;
  /** How many requests may fail: not more than this, whatever the method allows. */
  readonly failuresMax: number;
  readonly harm: (backend: BackendProcess) => Promise<void> | void;
  readonly heal: (backend: BackendProcess) => Promise<void> | void;
  /** Seen by traffic rather than by probes. */
  readonly byTraffic?: boolean;
}

const behave = (mode: Parameters<BackendProcess['behave']>[0]) => (backend: BackendProcess) =>
  backend.behave(mode);
const SCENES: readonly Scene[] = [
  { name: 'is killed', failuresMax: 0, harm: backend => backend.kill(), heal: backend => backend.comeBack() },
  {
    name: 'freezes',
    // Each is tried elsewhere after the head timeout, so that nobody sees more than a delay.
    failuresMax: 0,
    harm: backend => backend.freeze(),
    heal: backend => backend.thaw(),
  },
  { name: 'answers 500', failuresMax: 0, harm: behave('fail'), heal: behave('well'), byTraffic: true },
  { name: 'answers after 10 s', failuresMax: 0, harm: behave('slow'), heal: behave('well'), byTraffic: true },
  // The client has the head already: five in a row are cut, and those that were under way with them.
  {
    name: 'resets in the body',
    failuresMax: 25,
    harm: behave('reset_in_body'),
    heal: behave('well'),
    byTraffic: true,
  },
  {
    name: 'closes after accept',
    failuresMax: 0,
    harm: async backend => {
      await backend.comeBack();
      backend.behave('close_on_accept');
    },
    heal: behave('well'),
  },
  {
    name: 'accepts nothing',
    failuresMax: 0,
    harm: backend => backend.comeBackDeaf(),
    heal: backend => backend.comeBack(),
  },
];

const config = (backends: readonly BackendProcess[]) =>
  forwardTo(
    backends.map(({ address }) => address),
    {
      route: {
        timeouts: { responseHead: `${HEAD_MS}ms` },
        retries: { attempts: 2, on: ['connect', 'reset', '500'] },
      },
      // A load that waits for nobody has as many connections as the machine makes it wait.
      listener: { limits: { connectionsPerIp: 'off' } },
      cluster: {
        loadBalancing: { policy: 'roundRobin', slowStart: `${SLOW_START_MS}ms` },
        pool: { connectTimeout: '1s' },
        health: {
          active: {
            path: '/healthz',
            interval: `${INTERVAL_MS}ms`,
            timeout: `${INTERVAL_MS}ms`,
            healthyAfter: 2,
            unhealthyAfter: 2,
          },
          passive: { consecutiveFailures: 5, ejectFor: '1s' },
        },
      },
    },
  );

for (const { name, failuresMax, harm, heal, byTraffic } of SCENES) {
  test(`one of three ${name}: clients hardly notice, it goes out, and comes back gradually`, async () => {
    await using one = await BackendProcess.start();
    await using two = await BackendProcess.start();
    await using bad = await BackendProcess.start();
    await using proxy = await startProxyProcess(config([one, two, bad]));
    for (const { address } of [one, two, bad])
      await proxy.lines.next({ event: 'health_changed', endpoint: address, to: 'healthy' });
    const load = new SteadyLoad(proxy.target().port, { perSecond: 200 });
    await load.answered(100);

    const harmedMs = load.nowMs;
    await harm(bad);
    const out = await changed(proxy, bad, byTraffic === true ? 'ejected' : null);
    const outMs = load.nowMs - harmedMs;
    assert.ok(outMs < OUT_MS, `out after ${Math.round(outMs)} ms: ${JSON.stringify(out)}`);

    await heal(bad);
    await proxy.lines.next(
      ({ event, endpoint, to }) => event === 'health_changed' && endpoint === bad.address && to === 'warming',
    );
    await proxy.lines.next({
      event: 'health_changed',
      endpoint: bad.address,
      from: 'warming',
      to: 'healthy',
    });
    assertComesBackGradually(proxy, bad.address);
    await load.until(({ text }) => text === bad.pid);
    const sent = await load.stop();
    const failed = sent.filter(({ status }) => status !== 200);
    assert.ok(failed.length <= failuresMax, `${failed.length} failed: ${JSON.stringify(failed.slice(0, 5))}`);
    assert.ok(slowest(sent) < 5_000, `the slowest took ${slowest(sent)} ms`);
  });
}

/**
 * What it got while it warmed up is what slow start promises for the moments at which the proxy has chosen: how many requests fall
 * on which moment is a matter of the machine.
 */
function assertComesBackGradually({ lines }: ProxyProcess, address: string): void {
  const all = lines.all;
  const isChange = (line: LogLine, facts: LogLine) =>
    line['event'] === 'health_changed' &&
    line['endpoint'] === address &&
    Object.entries(facts).every(([name, value]) => line[name] === value);
  const end = all.findLastIndex(line => isChange(line, { from: 'warming', to: 'healthy' }));
  const begin = all.findLastIndex((line, at) => at < end && isChange(line, { to: 'warming' }));
  const beganAtMs = wallMsOf(all[begin]);
  let got = 0;
  let promised = 0;
  for (const line of all.slice(begin, end)) {
    const attempts = line['attempts'] as { readonly endpoint: string }[] | undefined;
    if (attempts === undefined) continue;
    const { total } = line['timing'] as { readonly total: number };
    const chosenAtMs = wallMsOf(line) - total;
    if (chosenAtMs < beganAtMs) continue;
    const weight = Math.min(1, Math.max(0.1, (chosenAtMs - beganAtMs) / SLOW_START_MS));
    promised += weight / (2 + weight); // beside two that are well
    if (attempts[0]?.endpoint === address) got++;
  }
  assert.ok(got > 0, 'it has come back');
  assert.ok(got <= 1.25 * promised + 5, `${got} requests went to it, of ${Math.round(promised)} promised`);
}

function wallMsOf(line: LogLine | undefined): number {
  return new Date(line?.['time'] as string | number).getTime();
}

/** The first time that it does not serve any more. */
async function changed(proxy: ProxyProcess, { address }: BackendProcess, to: string | null) {
  return await proxy.lines.next(
    line =>
      line['event'] === 'health_changed' &&
      line['endpoint'] === address &&
      (to === null ? ['unhealthy', 'ejected'].includes(String(line['to'])) : line['to'] === to),
  );
}

function slowest(sent: readonly Sent[]): number {
  return Math.max(...sent.map(({ tookMs }) => tookMs));
}
