/** A drain as an operator follows it: by the command line, by /status, by the log, and by a health check. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { after, echo, staySilent, webSocketEcho } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { type ForwardOptions, forwardTo } from '../support/plan_builder.ts';
import { type ProxyProcess, ROOT, startProxyProcess } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { closedPort, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const LONG = { drain: { timeout: '1h' } };

async function start(backend: string, more: ForwardOptions): Promise<{ proxy: ProxyProcess; admin: number }> {
  const admin = await closedPort();
  const config = forwardTo([backend], { admin: { address: `127.0.0.1:${admin}` }, ...more });
  return { proxy: await startProxyProcess(config), admin };
}

class Command {
  readonly ended: Promise<number | null>;
  out = '';
  err = '';
  #wake: () => void = () => {};

  constructor(proxy: ProxyProcess | null, ...words: readonly string[]) {
    const main = ['--disable-warning=ExperimentalWarning', `${ROOT}/src/main.ts`];
    const child = spawn(process.execPath, [
      ...main,
      ...words,
      ...(proxy === null ? [] : ['--config', proxy.configFile]),
    ]);
    child.stdout.on('data', chunk => {
      this.out += chunk;
      this.#wake();
    });
    child.stderr.on('data', chunk => {
      this.err += chunk;
    });
    this.ended = new Promise(resolve => child.once('close', resolve));
  }
  async prints(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.out)) await new Promise<void>(resolve => (this.#wake = resolve));
  }
}

async function drainInStatus(admin: number) {
  const { text } = await fetchRaw({ port: admin }, '/status', { headers: ['Host', 'localhost'] });
  return JSON.parse(text).drain;
}

test('drain --watch shows what is in flight and ends with 0 when the process has ended cleanly', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using backend = await startBackend(after(released, echo()));
  const { proxy, admin } = await start(backend.address, { process: LONG });
  assert.equal(await drainInStatus(admin), null);
  const answering = fetchRaw(proxy.target(), '/');
  await backend.requestCount(1);
  const watch = new Command(proxy, 'drain', '--watch');
  await watch.prints(/^draining: 1 request, 0 tunnels \(all 1\), 1 connection; cut in \d+ s$/m);
  const { cause, phase, remainingMs, ...counts } = await drainInStatus(admin);
  assert.deepEqual([cause, phase], ['the admin API', 'draining']);
  assert.ok(remainingMs > 3_000_000 && remainingMs <= 3_600_000, String(remainingMs));
  assert.deepEqual(counts, { requests: 1, tunnels: 0, connections: 1, routes: { all: 1 } });

  const second = new Command(proxy, 'drain', '--watch');
  await second.prints(/^draining: 1 request/m);
  assert.equal(
    proxy.lines.find({ event: 'phase_changed', to: 'forcing' }).length,
    0,
    'who watches forces nothing',
  );
  release();
  assert.equal((await answering).status, 200);
  for (const command of [watch, second]) {
    assert.equal(await command.ended, 0, command.err);
    assert.match(command.out, /stopped: every request was finished\n$/);
  }
  assert.equal(await proxy.ended, 0);
});

test('a drain that is forced cuts what is left, says how many of which route, and drain --watch ends with 1', async () => {
  await using silent = await startBackend(staySilent());
  await using chat = await startBackend(webSocketEcho());
  const { proxy } = await start(silent.address, {
    process: LONG,
    routes: [{ name: 'chat', match: { path: { prefix: '/chat' } }, forward: { cluster: 'chat' } }],
    clusters: { chat: { endpoints: [chat.address] } },
  });
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.target().port}/chat`);
  await new Promise(resolve => socket.once('open', resolve));
  socket.on('close', () => {});
  const answers = [fetchRaw(proxy.target(), '/'), fetchRaw(proxy.target(), '/')];
  await silent.requestCount(2);
  const watch = new Command(proxy, 'drain', '--watch');
  await watch.prints(/2 requests/);
  proxy.signal('SIGTERM'); // the second wish to end
  for (const { status } of await Promise.all(answers)) assert.equal(status, 503);
  const cut = await proxy.lines.next({ event: 'requests_cut' });
  assert.deepEqual(cut['routes'], { all: 2 }, 'the tunnel has closed by itself');
  assert.deepEqual([cut['count'], cut['listener'], cut['level']], [2, null, 40]);
  assert.equal(await watch.ended, 1);
  assert.match(watch.out, /stopped by force/);
  assert.equal(await proxy.ended, 1);
});

test('drain --watch says that the process was killed', async () => {
  await using backend = await startBackend(staySilent());
  const { proxy } = await start(backend.address, { process: LONG });
  const answering = assert.rejects(fetchRaw(proxy.target(), '/'));
  await backend.requestCount(1);
  const watch = new Command(proxy, 'drain', '--watch');
  await watch.prints(/1 request/);
  proxy.signal('SIGKILL');
  await answering;
  assert.equal(await watch.ended, 1);
  assert.match(watch.err, /killed before its drain was over/);
  assert.equal(await proxy.ended, 'SIGKILL');
});

test('status --ready is a health check: 0 while it serves, 1 with the reason while it drains, 1 when it is gone', async () => {
  await using backend = await startBackend(echo());
  const { proxy, admin } = await start(backend.address, { process: { drain: { delay: '1h' } } });
  const ready = new Command(proxy, 'status', '--ready');
  assert.deepEqual([await ready.ended, ready.out], [0, 'ready\n']);
  proxy.signal('SIGTERM');
  await proxy.lines.next({ event: 'phase_changed', to: 'lame_duck' });
  const draining = new Command(proxy, 'status', '--ready');
  assert.equal(await draining.ended, 1);
  assert.match(draining.out, /^not ready: the process is shutting down$/m);
  const both = new Command(proxy, 'status', '--ready', '--json');
  assert.equal(await both.ended, 64);
  proxy.signal('SIGTERM'); // ends the hour
  assert.equal(await proxy.ended, 1);
  assert.deepEqual(proxy.lines.find({ event: 'requests_cut' }), [], 'there was nothing to cut');
  const gone = new Command(null, 'status', '--ready', '--admin', `127.0.0.1:${admin}`);
  assert.equal(await gone.ended, 1);
  assert.match(gone.err, /no admin API/);
});
