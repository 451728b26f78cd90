// A backend that fails its probes, and one that comes back, with real sockets and real time in small doses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { type BackendRequest, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

test('an endpoint that fails its checks gets no traffic, and gets it again when it recovers', async () => {
  let well = true;
  const sick = await startBackend((request: BackendRequest) =>
    answer({ status: request.target === '/healthz' && !well ? 500 : 200, body: 'sick' })(request),
  );
  const fit = await startBackend(answer({ body: 'fit' }));
  const active = {
    path: '/healthz',
    interval: '100ms',
    timeout: '100ms',
    healthyAfter: 2,
    unhealthyAfter: 2,
  };
  const proxy = await startProxy(
    forwardTo([sick.address, fit.address], {
      cluster: { health: { active }, loadBalancing: { policy: 'roundRobin' } },
    }),
  );
  await proxy.lines.next({ event: 'health_changed', endpoint: sick.address, to: 'healthy' });
  await proxy.lines.next({ event: 'health_changed', endpoint: fit.address, to: 'healthy' });

  well = false;
  const down = await proxy.lines.next({ event: 'health_changed', endpoint: sick.address, to: 'unhealthy' });
  assert.equal(down.cause, 'status 500');
  for (let count = 0; count < 6; count++) assert.equal((await fetchRaw(proxy.target(), '/')).text, 'fit');

  well = true;
  await proxy.lines.next({
    event: 'health_changed',
    endpoint: sick.address,
    from: 'unhealthy',
    to: 'healthy',
  });
  const texts = new Set<string>();
  for (let count = 0; count < 4; count++) texts.add((await fetchRaw(proxy.target(), '/')).text);
  assert.deepEqual([...texts].sort(), ['fit', 'sick']);
  await proxy.stop();
  await sick.close();
  await fit.close();
});

test('with every endpoint down the answer is 503 no_healthy_backend at once', async () => {
  const backend = await startBackend(answer({ status: 500 }));
  const active = { path: '/', interval: '100ms', timeout: '100ms', unhealthyAfter: 1 };
  const proxy = await startProxy(forwardTo([backend.address], { cluster: { health: { active } } }));
  await proxy.lines.next({ event: 'health_changed', to: 'unhealthy' });
  const got = await fetchRaw(proxy.target(), '/');
  assert.equal(got.status, 503);
  assert.match(got.text, /no_healthy_backend/);
  await proxy.stop();
  await backend.close();
});
