/** What a reload removes is gone. Alone in its file: it counts objects of the whole process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { Prober } from '../../src/health/active.ts';
import { Http1Upstream } from '../../src/net/upstream/http1_upstream.ts';
import { RouteAllowances } from '../../src/security/rate_limit.ts';
import { after, answer } from '../support/backend_behaviours.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const ROUNDS = 20;
const LOOKS_MAX = 5;
/** The proxy may see the end of a connection some turns after the client does. */
const TURNS_MAX = 10_000;
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

test('HTTP/2 clients of a listener that a reload removes hear GOAWAY, and their open streams end well', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  await using backend = await startBackend(after(gate, answer({ body: 'whole' })));
  const before = forwardTo([backend.address], { listeners: { old: { address: '127.0.0.1:0', h2c: true } } });
  await using proxy = await startProxy(before);
  const target = proxy.target('old');
  const client = await connectHttp2(target);
  const held = client.request('/open');
  const upload = client.request('/upload', { ':method': 'POST' }, 'open');
  upload.stream.write('first half, ');
  await backend.requestCount(2);

  proxy.rewrite(forwardTo([backend.address]));
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  await client.goAway;
  await assert.rejects(fetchRaw(target, '/late'), 'nobody listens there any more');

  upload.stream.end('second half');
  open();
  for (const { answer: response } of [held, upload]) {
    const { status, text, rstCode } = await response;
    assert.deepEqual([status, text, rstCode], [200, 'whole', 0]);
  }
  const body = await backend.requests.find(({ target: path }) => path === '/upload')?.body();
  assert.equal(body?.content.toString(), 'first half, second half');
  if (!client.session.destroyed) await new Promise(resolve => client.session.once('close', resolve));
  const left = () => proxy.report.status().connections.open;
  for (let turns = 0; turns < TURNS_MAX && left() > 0; turns++) await turn();
  assert.equal(left(), 0, 'its connection has ended with its last stream');
});
