// What an operator does to a running proxy, by the admin API and by the command line.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answer } from '../support/backend_behaviours.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, ROOT, startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

const ADMIN = { admin: { address: '127.0.0.1:0' } };

async function ask(
  proxy: ProxyInProcess,
  method: string,
  path: string,
  body?: unknown,
  headers: string[] = [],
) {
  const { status, text } = await fetchRaw(proxy.admin(), path, {
    method,
    headers: ['Host', 'localhost', ...headers],
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status, body: JSON.parse(text) };
}

test('a rollback brings back the plan before, says so, and the file stays as it is', async () => {
  await using one = await startBackend(answer({ body: 'one' }));
  await using two = await startBackend(answer({ body: 'two' }));
  await using proxy = await startProxy(forwardTo([one.address], ADMIN));
  const nothing = await ask(proxy, 'POST', '/rollback');
  assert.deepEqual(
    [nothing.status, nothing.body.problems],
    [422, ['there is no earlier plan to go back to']],
  );
  const first = (await ask(proxy, 'GET', '/status')).body.plan;

  proxy.rewrite(forwardTo([two.address], ADMIN));
  assert.equal((await ask(proxy, 'POST', '/reload')).body.kind, 'applied');
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'two');
  const back = await ask(proxy, 'POST', '/rollback', { digest: first.slice(0, 12) });
  assert.deepEqual([back.body.kind, back.body.digest], ['applied', first]);
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'one');
  await proxy.lines.next({ event: 'rollback', trigger: 'rollback', result: 'applied' });
  const audit = await proxy.lines.next({ event: 'audit', action: 'rollback', result: 'applied' });
  assert.equal(audit['by'], '127.0.0.1');
  const { text } = await fetchRaw(proxy.admin(), '/metrics', { headers: ['Host', 'localhost'] });
  assert.match(text, /fairlead_config_reloads_total\{result="rolled_back"\} 1\n/);
  assert.equal((await ask(proxy, 'GET', '/status')).body.isFromFile, false);
  const { history } = (await ask(proxy, 'GET', '/status')).body;
  assert.equal(history.length, 2, 'what came later is kept');
  assert.equal((await ask(proxy, 'POST', '/rollback', { digest: 'zzzz' })).status, 400);
  assert.equal((await ask(proxy, 'POST', '/rollback', { dijest: '1' })).status, 400);
});

test('a reload after which more fails than before is undone by itself', async () => {
  await using good = await startBackend(answer());
  await using bad = await startBackend(answer({ status: 500 }));
  const process = {
    reload: { watch: false, probation: { window: '10s', maxFailureRatio: 0.3, minRequests: 10 } },
  };
  await using proxy = await startProxy(forwardTo([bad.address], { ...ADMIN, process }));
  for (let count = 0; count < 2; count++) await fetchRaw(proxy.target(), '/');
  proxy.rewrite(forwardTo([good.address], { ...ADMIN, process }));
  await proxy.proxy.reload('signal');
  for (let count = 0; count < 18; count++) await fetchRaw(proxy.target(), '/');
  proxy.rewrite(forwardTo([bad.address], { ...ADMIN, process }));
  await proxy.proxy.reload('signal');
  for (let count = 0; count < 12; count++) await fetchRaw(proxy.target(), '/');
  const line = await proxy.lines.next({ event: 'rollback', trigger: 'probation' });
  assert.equal(line['result'], 'applied');
  const why = await proxy.lines.next(({ message }) => String(message).includes('failed after the reload'));
  assert.match(String(why['message']), /\(2 of 20 before it\)/);
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
});

test('a file that is repaired after a rollback matches the running plan, and its lines are shown', async () => {
  await using backend = await startBackend(answer());
  const config = (name: string) => forwardTo([backend.address], { ...ADMIN, route: { name } });
  await using proxy = await startProxy(config('good'));
  const status = async () => (await ask(proxy, 'GET', '/status')).body;
  proxy.rewrite(config('bad'));
  await proxy.proxy.reload('signal');
  const bad = (await status()).plan;
  await ask(proxy, 'POST', '/rollback');
  assert.equal((await status()).isFromFile, false);
  assert.deepEqual(
    (await status()).history.map(({ digest }: { digest: string }) => digest === bad),
    [false, true],
    'the newer plan is kept',
  );
  const origins = () => proxy.report.explain({ url: 'http://x/' });
  const before = JSON.stringify(origins());
  proxy.rewrite(config('good'));
  writeFileSync(proxy.configFile, `# a comment\n# and another\n${readFileSync(proxy.configFile)}`);
  assert.equal((await proxy.proxy.reload('signal')).kind, 'unchanged');
  assert.equal((await status()).isFromFile, true);
  const lines = (text: string) => [...text.matchAll(/:(\d+):\d+/g)].map(([, line]) => Number(line));
  assert.ok(lines(before).length > 0);
  assert.deepEqual(
    lines(JSON.stringify(origins())),
    lines(before).map(line => line + 2),
  );
  proxy.rewrite(config('bad'));
  assert.equal((await ask(proxy, 'POST', '/rollback', { digest: bad })).status, 200);
});

test('an endpoint is drained and made ready by hand, also across a reload', async () => {
  await using one = await startBackend(answer({ body: 'one' }));
  await using two = await startBackend(answer({ body: 'two' }));
  const config = (name: string) => forwardTo([one.address, two.address], { ...ADMIN, route: { name } });
  await using proxy = await startProxy(config('all'));
  const act = (endpoint: string, action: string) =>
    ask(proxy, 'POST', `/clusters/app/endpoints/${encodeURIComponent(endpoint)}`, { action });
  const drained = await act(one.address, 'drain');
  assert.equal(drained.status, 200, JSON.stringify(drained.body));
  proxy.rewrite(config('renamed'));
  await proxy.proxy.reload('signal');
  for (let count = 0; count < 6; count++) assert.equal((await fetchRaw(proxy.target(), '/')).text, 'two');
  const states = (await ask(proxy, 'GET', '/status')).body.clusters[0].endpoints.map(
    ({ state }: { state: string }) => state,
  );
  assert.deepEqual(states, ['drained', 'unchecked']);
  const { text } = await fetchRaw(proxy.admin(), '/metrics', { headers: ['Host', 'localhost'] });
  const label = `cluster="app",endpoint="${one.address}"`;
  assert.ok(text.includes(`fairlead_endpoint_healthy{${label}} 0\n`), 'an alert can see it');
  assert.ok(text.includes(`fairlead_endpoint_state{${label},state="drained"} 1\n`));

  const last = await act(two.address, 'drain');
  assert.match(last.body.warning, /no eligible endpoint left/);
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 503);
  await act(one.address, 'ready');
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'one');
  assert.match((await act('10.0.0.1:1', 'drain')).body.error, /has no endpoint 10\.0\.0\.1:1; endpoints:/);
  assert.equal((await act(one.address, 'kill')).status, 400);
  await proxy.lines.next({ event: 'endpoint_drained', endpoint: one.address });
});

test('the log level changes for a while', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(forwardTo([backend.address], ADMIN));
  const set = (body: unknown) => ask(proxy, 'POST', '/log-level', body);
  assert.equal((await set({ level: 'debug', for: '1s' })).status, 200);
  await proxy.lines.next({ event: 'log_level_changed', level: 'debug', forMs: 1_000 });
  await proxy.lines.next({ event: 'log_level_changed', level: 'info', forMs: null });
  assert.equal((await set({ level: 'loud' })).status, 400);
  assert.equal((await set({ level: 'debug', for: 'ever' })).status, 400);
  await proxy.lines.next({ event: 'audit', action: 'POST /log-level', result: 'refused 400' });
  assert.equal((await set({ level: 'silent' })).status, 200);
  await proxy.lines.next({ event: 'audit', action: 'log-level silent 10m' }); // also the call that silences the rest
});

test('a required cluster without an endpoint that serves makes the process not ready, with the reason', async () => {
  await using backend = await startBackend(answer({ status: 500 }));
  const active = { path: '/', interval: '100ms', timeout: '100ms', unhealthyAfter: 1, healthyAfter: 1 };
  await using proxy = await startProxy(
    forwardTo([backend.address], { ...ADMIN, cluster: { required: true, health: { active } } }),
  );
  await proxy.lines.next({ event: 'health_changed', to: 'unhealthy' });
  const { status, body } = await ask(proxy, 'GET', '/readyz');
  assert.deepEqual(
    [status, body],
    [503, { ready: false, reasons: ['the required cluster app has no endpoint that serves'] }],
  );
  backend.behave(answer());
  await proxy.lines.next({ event: 'health_changed', to: 'healthy' });
  assert.equal((await ask(proxy, 'GET', '/readyz')).status, 200);
});

test('with a token everything but the probes asks for it', async () => {
  await using backend = await startBackend(answer());
  const token = 'a-token-of-some-length';
  await using proxy = await startProxy(
    forwardTo([backend.address], { admin: { address: '127.0.0.1:0', token } }),
  );
  for (const path of ['/status', '/metrics', '/plan', '/requests']) {
    assert.equal((await ask(proxy, 'GET', path)).status, 401, path);
    const wrong = await fetchRaw(proxy.admin(), path, {
      headers: ['Host', 'localhost', 'Authorization', 'Bearer x'],
    });
    assert.equal(wrong.status, 401);
  }
  const right = ['Authorization', `Bearer ${token}`];
  assert.equal((await ask(proxy, 'GET', '/status', undefined, right)).status, 200);
  for (const name of ['localhost', 'fairlead-7.internal']) {
    const as = (path: string, headers: readonly string[]) =>
      fetchRaw(proxy.admin(), path, { headers: ['Host', name, ...headers] });
    assert.equal((await as('/livez', [])).status, 200);
    assert.equal((await as('/status', right)).status, 200, 'who has the token may use any name');
    assert.equal((await as('/status', [])).status, 401);
  }
  const plan = await ask(proxy, 'GET', '/plan', undefined, right);
  assert.equal(plan.body.admin.token, '***');
});

test('the command line has status, reload, rollback and drain, and a clear message when no process runs', async () => {
  await using backend = await startBackend(answer());
  const token = 'a-token-of-some-length';
  const config = (port: number, name: string) =>
    forwardTo([backend.address], { admin: { address: `127.0.0.1:${port}`, token }, route: { name } });
  const proxy = await startProxy(config(0, 'all'));
  const { port } = proxy.admin();
  // The file that the commands read names the port that was given.
  proxy.rewrite(config(port, 'all'));
  const run = (...words: string[]) =>
    new Promise<{ code: number; out: string; err: string }>(resolve => {
      const args = ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/main.ts'), ...words];
      execFile(process.execPath, [...args, '--config', proxy.configFile], (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  const status = await run('status');
  assert.equal(status.code, 0, status.err);
  assert.match(status.out, /fairlead \S+ {2}serving/);
  assert.match(status.out, new RegExp(`app {6}${backend.address} {2}unchecked`));
  assert.equal(JSON.parse((await run('status', '--json')).out).phase, 'serving');
  const reload = await run('reload');
  assert.deepEqual(
    [reload.code, /admin\.address\.port cannot change/.test(reload.err)],
    [1, true],
    'the port in the file is another one',
  );
  const rollback = await run('rollback');
  assert.deepEqual([rollback.code, /no earlier plan/.test(rollback.err)], [1, true]);

  proxy.rewrite(
    `${JSON.stringify({ version: 1, admin: { address: `127.0.0.1:${port}`, token }, rutes: [] })}`,
  );
  const wrong = await run('status');
  assert.deepEqual([wrong.code, /has errors/.test(wrong.err), /serving/.test(wrong.out)], [0, true, true]);
  proxy.rewrite('routes: [');
  const broken = await run('rollback');
  assert.deepEqual([broken.code, /--admin 127\.0\.0\.1/.test(broken.err)], [78, true], broken.err);
  const named = await run('status', '--admin', `127.0.0.1:${port}`);
  assert.deepEqual([named.code, /FAIRLEAD_ADMIN_TOKEN/.test(named.err)], [1, true], named.err);
  process.env['FAIRLEAD_ADMIN_TOKEN'] = token;
  const drain = await run('drain', '--admin', `127.0.0.1:${port}`);
  delete process.env['FAIRLEAD_ADMIN_TOKEN'];
  assert.deepEqual([drain.code, /draining/.test(drain.out)], [0, true]);
  await proxy.proxy.stopped;
  await proxy.lines.next({ event: 'phase_changed', to: 'lame_duck', cause: 'the admin API' });
  proxy.rewrite(config(port, 'all'));
});

test('a command that finds no process says where it looked', async () => {
  await using backend = await startBackend(answer());
  const proxy = await startProxy(forwardTo([backend.address], ADMIN));
  proxy.rewrite(forwardTo([backend.address], { admin: { address: '127.0.0.1:1' } }));
  const err = await new Promise<string>(resolve => {
    const args = [
      '--disable-warning=ExperimentalWarning',
      join(ROOT, 'src/main.ts'),
      'status',
      '--config',
      proxy.configFile,
    ];
    execFile(process.execPath, args, (_error, _out, text) => resolve(text));
  });
  assert.match(
    err,
    /no admin API at 127\.0\.0\.1:1 \(ECONNREFUSED\); is fairlead running with this configuration\?/,
  );
  await proxy.stop();
});
