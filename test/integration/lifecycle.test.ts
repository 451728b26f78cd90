/** The process: signals, reloads and the end, with requests under way. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocket } from 'ws';
import {
  after,
  answer,
  echo,
  stallAfterHead,
  staySilent,
  webSocketEcho,
} from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy, startProxyProcess } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest, TruncatedAnswer } from '../support/raw_client.ts';
import { type Behaviour, type ScriptedBackend, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

async function withBackend(
  behaviour: Behaviour,
  use: (backend: ScriptedBackend) => Promise<void>,
): Promise<void> {
  const backend = await startBackend(behaviour);
  try {
    await use(backend);
  } finally {
    await backend.close();
  }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets the request under way end, refuses new ones, and ends with code 0 at once`, async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await withBackend(after(released, answer({ body: 'in time' })), async backend => {
      await using proxy = await startProxyProcess(forwardTo([backend.address]));
      const target = proxy.target();
      const answering = fetchRaw(target, '/');
      await backend.requestCount(1);
      proxy.signal(signal);
      await proxy.lines.next({ event: 'phase_changed', to: 'draining' });
      await assert.rejects(fetchRaw(target, '/'), { code: 'ECONNREFUSED' });
      release();
      const got = await answering;
      assert.equal(got.text, 'in time');
      assert.equal(value(got.headers, 'connection'), 'close');
      assert.equal(await proxy.ended, 0);
    });
  });
}

test('a second SIGTERM ends the rest with shutting_down and code 1', () =>
  withBackend(staySilent(), async backend => {
    await using proxy = await startProxyProcess(forwardTo([backend.address]));
    const answering = fetchRaw(proxy.target(), '/');
    await backend.requestCount(1);
    proxy.signal('SIGTERM');
    await proxy.lines.next({ event: 'phase_changed', to: 'draining' });
    proxy.signal('SIGTERM');
    const got = await answering;
    assert.equal(got.status, 503);
    assert.equal(await proxy.ended, 1);
    assert.equal(proxy.lines.find({ reason: 'shutting_down' }).length, 1);
  }));

test('at the drain timeout the rest is ended', () =>
  withBackend(stallAfterHead('part'), async backend => {
    await using proxy = await startProxyProcess(
      forwardTo([backend.address], { process: { drain: { timeout: '300ms' } } }),
    );
    using client = await connectRaw(proxy.target());
    void client.send(formatRequest('/'));
    const answering = client.answer();
    await backend.requestCount(1);
    proxy.signal('SIGTERM');
    await assert.rejects(answering, TruncatedAnswer, 'it does not look whole');
    assert.equal(await proxy.ended, 1);
  }));

test('an idle keep-alive connection does not hold up the end', () =>
  withBackend(echo(), async backend => {
    await using proxy = await startProxyProcess(
      forwardTo([backend.address], { process: { drain: { timeout: '60s' } } }),
    );
    using client = await connectRaw(proxy.target());
    void client.send(formatRequest('/'));
    assert.equal((await client.answer()).status, 200);
    await proxy.stop();
  }));

test('a defect outside of any request is reported, and costs no connection', () =>
  withBackend(echo(), async backend => {
    const onSignal = "process.on('SIGIO', () => { throw new Error('nobody expected this') })";
    const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(onSignal)}`];
    await using proxy = await startProxyProcess(forwardTo([backend.address]), { nodeArgs });
    using client = await connectRaw(proxy.target());
    await client.send(formatRequest('/'));
    assert.equal((await client.answer()).status, 200);
    process.kill(proxy.pid, 'SIGIO');
    const defect = await proxy.lines.next({ event: 'defect' });
    assert.match(String(defect['detail']), /nobody expected this/);
    await client.send(formatRequest('/'));
    assert.equal((await client.answer()).status, 200);
  }));

test('SIGUSR1 goes on in a new file after the old one was moved away', context =>
  withBackend(echo(), async backend => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-log-'));
    context.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'fairlead.log');
    const pathsIn = (name: string) =>
      [...readFileSync(name, 'utf8').matchAll(/"path":"([^"]+)"/g)].map(([, path]) => path);
    const sized = async (name: string, has: string) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => existsSync(name) && pathsIn(name).includes(has) && resolve();
      const watcher = watch(folder, look);
      look();
      await promise;
      watcher.close();
    };
    await using proxy = await startProxy(forwardTo([backend.address], { logging: { file } }), {
      logsToFile: true,
    });
    await fetchRaw(proxy.target(), '/before');
    await sized(file, '/before');
    renameSync(file, `${file}.1`);
    proxy.proxy.reopenLogs();
    await fetchRaw(proxy.target(), '/after');
    await sized(file, '/after');
    assert.deepEqual([pathsIn(`${file}.1`), pathsIn(file)], [['/before'], ['/after']]);
  }));

test('SIGQUIT ends at once', () =>
  withBackend(staySilent(), async backend => {
    await using proxy = await startProxyProcess(forwardTo([backend.address]));
    const answering = fetchRaw(proxy.target(), '/');
    await backend.requestCount(1);
    proxy.signal('SIGQUIT');
    await assert.rejects(answering);
    assert.notEqual(await proxy.ended, 0);
  }));

test('SIGHUP changes the routes without losing the connection or a request in flight', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using old = await startBackend(after(released, answer({ body: 'old plan' })));
  await using fresh = await startBackend(answer({ body: 'new plan' }));
  {
    await using proxy = await startProxyProcess(forwardTo([old.address]));
    const target = proxy.target();
    using kept = await connectRaw(target); // opened on the old plan, and idle
    const underWay = fetchRaw(target, '/');
    await old.requestCount(1);
    proxy.rewrite(forwardTo([fresh.address]));
    proxy.signal('SIGHUP');
    const line = await proxy.lines.next({ event: 'reload' });
    assert.equal(line.result, 'applied');
    void kept.send(formatRequest('/'));
    assert.equal((await kept.answer()).text, 'new plan');
    release();
    assert.equal((await underWay).text, 'old plan', 'a request ends on the plan that it began on');
  }
});

test('other limits of a listener leave its open connections alone', () =>
  withBackend(echo(), async backend => {
    await using proxy = await startProxy(forwardTo([backend.address]));
    using client = await connectRaw(proxy.target());
    void client.send(formatRequest('/'));
    assert.equal((await client.answer()).status, 200);
    proxy.rewrite(forwardTo([backend.address], { listener: { timeouts: { keepAliveIdle: '20s' } } }));
    assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
    void client.send(formatRequest('/'));
    assert.equal((await client.answer()).status, 200);
  }));

test('a bad file changes nothing and says why', () =>
  withBackend(echo(), async backend => {
    await using proxy = await startProxyProcess(forwardTo([backend.address]));
    proxy.rewrite({ ...forwardTo([backend.address]), listners: {} });
    proxy.signal('SIGHUP');
    const line = await proxy.lines.next({ event: 'reload' });
    assert.equal(line.result, 'rejected');
    assert.match(String(line.problems), /fairlead\.yaml:\d+:\d+.*listners.*listeners/);
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  }));

test('a renamed listener conflicts with itself, and the problem says so', () =>
  withBackend(echo(), async backend => {
    await using proxy = await startProxy(forwardTo([backend.address]));
    const { port } = proxy.target();
    const renamed = { address: `127.0.0.1:${port}`, limits: { connections: 5 } };
    const config = forwardTo([backend.address], { listeners: { public: renamed } });
    proxy.rewrite({ ...config, listeners: { public: renamed } });
    const first = await proxy.proxy.reload('signal');
    assert.equal(first.kind, 'rejected');
    assert.match(
      first.kind === 'rejected' ? String(first.problems) : '',
      /listener main of this process still uses/,
    );
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  }));

test('a reload that needs a taken port is rejected and leaves everything as it was', () =>
  withBackend(echo(), async backend => {
    await using proxy = await startProxy(forwardTo([backend.address]));
    proxy.rewrite(forwardTo([backend.address], { listeners: { second: { address: backend.address } } }));
    const result = await proxy.proxy.reload('signal');
    assert.equal(result.kind, 'rejected');
    assert.deepEqual([...proxy.proxy.addresses.keys()], ['main']);
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  }));

test('a new listener opens and a gone one closes on reload', () =>
  withBackend(echo(), async backend => {
    await using proxy = await startProxy(
      forwardTo([backend.address], { listeners: { second: { address: '127.0.0.1:0' } } }),
    );
    const gone = proxy.target('second');
    proxy.rewrite(forwardTo([backend.address], { listeners: { third: { address: '127.0.0.1:0' } } }));
    assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
    assert.equal((await fetchRaw(proxy.target('third'), '/')).status, 200);
    assert.equal((await fetchRaw(proxy.target('main'), '/')).status, 200);
    await assert.rejects(fetchRaw(gone, '/'), { code: 'ECONNREFUSED' });
  }));

test('a changed file is noticed, and the same file again changes nothing', () =>
  withBackend(echo(), async backend => {
    const watch = { process: { reload: { watch: true } } };
    await using proxy = await startProxy(forwardTo([backend.address], watch));
    proxy.rewrite(
      forwardTo([backend.address], { ...watch, route: { respond: { status: 204 }, forward: undefined } }),
    );
    const line = await proxy.lines.next({ event: 'reload' });
    assert.deepEqual([line.trigger, line.result], ['watch', 'applied']);
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 204);
    assert.equal((await proxy.proxy.reload('signal')).kind, 'unchanged');
  }));

test('requests go on while plans are swapped as fast as they can be', () =>
  withBackend(echo(), async backend => {
    const plans = ['a', 'b'].map(mark =>
      forwardTo([backend.address], { route: { headers: { response: { set: { 'x-plan': mark } } } } }),
    );
    await using proxy = await startProxy(plans[0] ?? '');
    let sending = true;
    const storm = (async () => {
      let swaps = 0;
      for (; sending; swaps++) {
        proxy.rewrite(plans[swaps % 2] ?? '');
        await proxy.proxy.reload('signal');
        await turn(); // a reload of unchanged files waits for nothing
      }
      return swaps;
    })();
    using client = await connectRaw(proxy.target());
    try {
      for (let count = 0; count < 300; count++) {
        void client.send(formatRequest('/'));
        const got = await client.answer();
        assert.equal(got.status, 200);
        assert.match(value(got.headers, 'x-plan') ?? '', /^[ab]$/);
      }
    } finally {
      sending = false;
    }
    assert.ok((await storm) > 5, 'plans were swapped meanwhile');
    assert.ok(
      backend.connections.total < 20,
      `an unchanged cluster keeps its connections: ${backend.connections.total}`,
    );
  }));

test('a drain closes WebSockets with 1001 and does not wait for its timeout', async () => {
  await using backend = await startBackend(webSocketEcho());
  const proxy = await startProxy(forwardTo([backend.address], { process: { drain: { timeout: '1h' } } }));
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.target().port}/`);
  await new Promise(resolve => socket.once('open', resolve));
  const closed = new Promise<number>(resolve => socket.once('close', resolve));
  await proxy.stop(); // asserts that the drain was clean
  assert.equal(await closed, 1_001);
});
