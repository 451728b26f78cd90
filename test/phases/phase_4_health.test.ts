// Phase 4: three backends, 200 requests a second, and one backend goes wrong. How many clients notice, how long until
// it is out, how long until it is back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackendProcess } from '../support/backend_process.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyProcess, startProxyProcess } from '../support/proxy_under_test.ts';
import { type Sent, SteadyLoad } from '../support/steady_load.ts';

const HEAD_MS = 500;
const INTERVAL_MS = 200;
/** Two probes, each at most a timeout and an interval with its jitter away, and room for a busy machine. */
const OUT_MS = 2 * (1.2 * INTERVAL_MS + INTERVAL_MS) + 1_500;

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
      cluster: {
        loadBalancing: { policy: 'roundRobin', slowStart: '2s' },
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
    const from = load.sent.length;
    await load.answered(200);
    const share = load.sent.slice(from, from + 200).filter(({ text }) => text === bad.pid).length;
    assert.ok(share < 50, `${share} of the first 200 requests went to it, where 67 would be its share`);
    await proxy.lines.next({
      event: 'health_changed',
      endpoint: bad.address,
      from: 'warming',
      to: 'healthy',
    });
    await load.until(({ text }) => text === bad.pid);
    const sent = await load.stop();
    const failed = sent.filter(({ status }) => status !== 200);
    assert.ok(failed.length <= failuresMax, `${failed.length} failed: ${JSON.stringify(failed.slice(0, 5))}`);
    assert.ok(slowest(sent) < 5_000, `the slowest took ${slowest(sent)} ms`);
  });
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
