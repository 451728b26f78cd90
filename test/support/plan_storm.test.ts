// The storm itself: a suite that runs in one that does not blow would prove nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, inTurn } from './backend_behaviours.ts';
import { checkLeaks } from './leak_check.ts';
import { forwardTo } from './plan_builder.ts';
import { PLAN_STORM } from './plan_storm_variable.ts';
import { startProxy } from './proxy_under_test.ts';
import { fetchRaw } from './raw_client.ts';
import { startBackend } from './scripted_backend.ts';

checkLeaks();

test('in a plan storm planes are swapped while a request is in flight', async () => {
  process.env[PLAN_STORM] = '1';
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  await using backend = await startBackend(
    inTurn(async request => {
      await gate;
      return answer({ body: 'slow' })(request);
    }, answer()),
  );
  await using proxy = await startProxy(forwardTo([backend.address]));
  delete process.env[PLAN_STORM];
  const slow = fetchRaw(proxy.target(), '/slow');
  await backend.requestCount(1);
  const first = proxy.lines.find({ event: 'reload' }).length;
  while (proxy.lines.find({ event: 'reload' }).length < first + 3)
    assert.equal((await fetchRaw(proxy.target(), '/quick')).status, 200);
  open();
  assert.equal((await slow).text, 'slow');
  const swaps = proxy.lines.find({ event: 'reload' });
  assert(swaps.every(({ result }) => result === 'applied'));
  assert.equal(new Set(swaps.map(swap => swap.plan)).size, 2, 'two plans take turns');
});
