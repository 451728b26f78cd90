/** What a reload removes is gone. Alone in its file: it counts objects of the whole process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { Prober } from '../../src/health/active.ts';
import { Http1Upstream } from '../../src/net/upstream/http1_upstream.ts';
import { RouteAllowances } from '../../src/security/rate_limit.ts';
import { answer } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const ROUNDS = 20;
const LOOKS_MAX = 5;
/** The one of the plan that runs, and those of the last ones, which may be on the stack or end a request. */
const LEFT_MAX = 3;

test('probers, connections and allowances of clusters and routes that a reload has removed leave nothing behind', async () => {
  await using backend = await startBackend(answer());
  const config = (round: number) => ({
    ...forwardTo([backend.address]),
    routes: [
      {
        name: `route${round}`,
        match: { path: { prefix: '/' } },
        forward: { cluster: `cluster${round}` },
        rateLimits: [{ key: 'clientIp', rate: '100/s' }],
      },
    ],
    clusters: {
      [`cluster${round}`]: {
        endpoints: [backend.address],
        health: { active: { path: '/', interval: '1h' } },
      },
    },
  });
  await using proxy = await startProxy(config(0));
  for (let round = 1; round <= ROUNDS; round++) {
    proxy.rewrite(config(round));
    assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  }
  for (const kind of [Prober, Http1Upstream, RouteAllowances]) {
    let left = 0;
    for (let look = 0; look < LOOKS_MAX; look++) {
      left = Number(queryObjects(kind, { format: 'count' }));
      if (left <= LEFT_MAX) break;
      await turn();
    }
    assert.ok(left >= 1, 'the count sees that of the plan that runs');
    assert.ok(left <= LEFT_MAX, `${kind.name}: ${left} of ${ROUNDS + 1}`);
  }
});
