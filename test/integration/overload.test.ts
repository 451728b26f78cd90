// A process with too much to do refuses new requests early, answers whoever looks after it, and stops by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer } from '../support/backend_behaviours.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy, startProxyProcess } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

test('with a full heap requests get 503 before a backend is asked, health and admin answers go on', async () => {
  await using backend = await startBackend(answer());
  let heapRatio = 1;
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      admin: { address: '127.0.0.1:0' },
      listener: { healthPath: '/-/ready' },
    }),
    { heapRatio: () => heapRatio },
  );
  await proxy.lines.next({ event: 'overload', state: 'shedding', signal: 'heap' });
  const refused = await fetchRaw(proxy.target(), '/');
  assert.equal(refused.status, 503);
  assert.ok(refused.headers.includes('Retry-After'));
  assert.equal(backend.connections.total, 0);
  assert.equal((await fetchRaw(proxy.target(), '/-/ready')).status, 200);
  const { text } = await fetchRaw(proxy.admin(), '/metrics', { headers: ['Host', 'localhost'] });
  assert.match(text, /fairlead_overload_shed_total\{signal="heap"\} 1\n/);
  assert.match(text, /fairlead_overload_active\{signal="heap"\} 1\n/);

  heapRatio = 0.1;
  await proxy.lines.next({ event: 'overload', state: 'normal' });
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
});

test('one pause sheds nothing; an event loop that is held up again and again is noticed, and forgotten later', async () => {
  await using backend = await startBackend(answer());
  // Far above what a busy machine does to a loop, far below how long this one is stopped.
  await using proxy = await startProxyProcess(
    forwardTo([backend.address], {
      process: { overload: { eventLoopDelay: '250ms' }, drain: { timeout: '5s' } },
    }),
  );
  const holdUp = async (forMs: number) => {
    proxy.signal('SIGSTOP');
    await new Promise(resolve => setTimeout(resolve, forMs)); // so long it stands still: that is what is measured
    proxy.signal('SIGCONT');
  };
  await holdUp(2_000);
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  assert.deepEqual(proxy.lines.find({ event: 'overload' }), []);

  const shedding = proxy.lines.next({ event: 'overload', state: 'shedding', signal: 'event_loop' });
  let isNoticed = false;
  void shedding.then(() => {
    isNoticed = true;
  });
  while (!isNoticed) {
    await holdUp(700);
    await fetchRaw(proxy.target(), '/').catch(() => {}); // one turn of its loop, at least
  }
  await proxy.lines.next({ event: 'overload', state: 'normal', signal: 'event_loop' });
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  await proxy.stop();
});
