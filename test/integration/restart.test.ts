/**
 * A restart that no client notices, under a steady load of new and of kept connections: through a listening socket that
 * outlives the process (socket activation), and from one process to the next on a shared port (`reusePort`).
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { echo } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { LogLines } from '../support/log_lines.ts';
import { needsOwnNetwork, runInOwnNetwork } from '../support/own_network.ts';
import { configText, forwardTo } from '../support/plan_builder.ts';
import { needs, program } from '../support/programs.ts';
import { ROOT, startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { closedPort, startBackend } from '../support/scripted_backend.ts';
import { DRAIN_IN_STEPS, SteadyClients } from '../support/steady_clients.ts';

checkLeaks();

/** Waiting connections of a socket that closes go to another one of the port. */
const MIGRATE = { 'net.ipv4.tcp_migrate_req': '1' };

test(
  'two restarts on a shared port: no request of new or kept connections is refused, reset or failed',
  needsOwnNetwork(MIGRATE),
  async () => {
    const printed = await runInOwnNetwork(MIGRATE, join(ROOT, 'test/support/hand_over_program.ts'));
    const { answered, failures, served } = JSON.parse(printed) as {
      readonly answered: number;
      readonly failures: object;
      readonly served: readonly number[];
    };
    assert.deepEqual(failures, {}, `of ${answered} requests`);
    assert.ok(
      served.every(count => count > 0),
      `each process has served: ${served}`,
    );
  },
);

test('without reusePort a port that is taken is an error at the start', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startProxy(forwardTo([backend.address]));
  const address = `127.0.0.1:${proxy.target().port}`;
  for (const reusePort of [false, true])
    await assert.rejects(
      startProxy(forwardTo([backend.address], { listener: { address, reusePort } })),
      /another process uses it/,
      'both have to say it',
    );
});

test('a listener whose reusePort changes needs a restart, and says so', async () => {
  await using backend = await startBackend(echo());
  const listener = { address: `127.0.0.1:${await closedPort()}` };
  await using proxy = await startProxy(forwardTo([backend.address], { listener }));
  proxy.rewrite(forwardTo([backend.address], { listener: { ...listener, reusePort: true } }));
  const result = await proxy.proxy.reload('signal');
  assert.equal(result.kind, 'rejected');
  assert.match(JSON.stringify(result), /change reusePort .* restart the process/);
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
});

test('a listener with reusePort changes its name without a restart, and whoever still comes by the old one is answered', async () => {
  await using backend = await startBackend(echo());
  const listener = { address: `127.0.0.1:${await closedPort()}`, reusePort: true };
  const config = forwardTo([backend.address], { listener });
  await using proxy = await startProxy(config);
  proxy.rewrite({ ...config, listeners: { renamed: listener } });
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  // The old socket is open for a moment longer, and the kernel deals connections to both.
  const target = proxy.target('renamed');
  const answers = await Promise.all(Array.from({ length: 40 }, () => fetchRaw(target, '/')));
  assert.ok(answers.every(({ status }) => status === 200));
  const { length } = proxy.lines.find({ listener: 'main', status: 200 });
  assert.ok(length > 0, 'some came by the old name');
  assert.deepEqual(proxy.lines.find({ event: 'defect' }), []);
});

/** Starts proxies on sockets that it keeps. */
class SocketHolder {
  readonly lines = new LogLines();
  readonly #child;
  readonly #command: readonly string[];
  readonly #file: string;
  #started = 0;

  constructor(context: TestContext, config: object, backlog: number, ...names: readonly string[]) {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-activation-'));
    const file = join(folder, 'fairlead.yaml');
    this.#file = file;
    this.rewrite(config);
    const main = ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/main.ts')];
    this.#command = [process.execPath, ...main, 'run', '--config', file];
    const holder = join(ROOT, 'test/support/socket_holder.py');
    this.#child = spawn(program('python3'), [holder, String(backlog), ...names], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout.on('data', chunk => this.lines.take(String(chunk)));
    this.#child.once('close', () => this.lines.end('the holder has ended'));
    context.after(async () => {
      this.#child.stdin.end();
      if (this.#child.exitCode === null) await once(this.#child, 'close');
      rmSync(folder, { recursive: true });
    });
  }
  rewrite(config: object): void {
    writeFileSync(this.#file, configText(config as Record<string, unknown>));
  }
  async ports(): Promise<readonly number[]> {
    return (await this.lines.next(line => 'ports' in line))['ports'] as number[];
  }
  /** The process id, when it serves. */
  async start(): Promise<number> {
    this.#started++;
    this.#child.stdin.write(`${JSON.stringify(this.#command)}\n`);
    const pid = await this.lines.next(line => 'pid' in line && !('event' in line), this.#started);
    await this.lines.next({ event: 'phase_changed', to: 'serving' }, this.#started);
    return Number(pid['pid']);
  }
  /** So many have ended by now. */
  async stopped(count: number): Promise<void> {
    await this.lines.next({ event: 'phase_changed', to: 'stopped' }, count);
  }
}

test(
  'two restarts by a service manager that keeps the socket: between two processes clients wait, and none is refused',
  needs('python3'),
  async context => {
    await using backend = await startBackend(echo());
    const listener = { address: 'fd:web' };
    const holder = new SocketHolder(
      context,
      forwardTo([backend.address], { listener, process: DRAIN_IN_STEPS }),
      4_096,
      'web',
    );
    const [port = 0] = await holder.ports();
    let pid = await holder.start();
    const clients = new SteadyClients(port);
    for (let restart = 1; restart <= 2; restart++) {
      await clients.goOn();
      process.kill(pid, 'SIGTERM'); // as `systemctl restart` does: the new one starts when the old one has ended
      await holder.stopped(restart);
      pid = await holder.start();
    }
    await clients.goOn();
    const { failures } = await clients.stop();
    process.kill(pid, 'SIGTERM');
    await holder.stopped(3);
    assert.deepEqual(failures, {});
  },
);

test(
  'a process that starts beside the old one on the same socket takes over from it',
  needs('python3'),
  async context => {
    await using backend = await startBackend(echo());
    const listener = { address: 'fd:web' };
    const holder = new SocketHolder(
      context,
      forwardTo([backend.address], { listener, process: DRAIN_IN_STEPS }),
      4_096,
      'web',
    );
    const [port = 0] = await holder.ports();
    const old = await holder.start();
    const clients = new SteadyClients(port);
    await clients.goOn();
    const next = await holder.start();
    process.kill(old, 'SIGTERM');
    await holder.stopped(1);
    await clients.goOn();
    const { failures } = await clients.stop();
    process.kill(next, 'SIGTERM');
    await holder.stopped(2);
    assert.deepEqual(failures, {});
  },
);

test('several sockets are told apart by their names', needs('python3'), async context => {
  const respond = (body: string) => ({ status: 200, headers: { 'content-type': 'text/plain' }, body });
  const route = (name: string) => ({
    name,
    listeners: [name],
    match: { path: { prefix: '/' } },
    respond: respond(name),
  });
  const config = {
    version: 1,
    admin: 'off',
    listeners: { second: { address: 'fd:second' }, first: { address: 'fd:first' } },
    routes: [route('first'), route('second')],
  };
  const holder = new SocketHolder(context, config, 16, 'first', 'second');
  const ports = await holder.ports();
  const pid = await holder.start();
  const bodies = await Promise.all(ports.map(async port => (await fetchRaw({ port }, '/')).text));
  process.kill(pid, 'SIGTERM');
  await holder.stopped(1);
  assert.deepEqual(bodies, ['first', 'second']);
});

test(
  'a descriptor is taken once: a listener that comes back by a reload asks for a restart, and the others serve on',
  needs('python3'),
  async context => {
    const respond = { status: 200, body: '' };
    const config = (...names: readonly string[]) => ({
      version: 1,
      admin: 'off',
      process: { reload: { watch: false } },
      listeners: Object.fromEntries(names.map(name => [name, { address: `fd:${name}` }])),
      routes: [{ name: 'all', match: { path: { prefix: '/' } }, respond }],
    });
    const holder = new SocketHolder(context, config('one', 'two'), 16, 'one', 'two');
    const [one = 0] = await holder.ports();
    const pid = await holder.start();
    holder.rewrite(config('one'));
    process.kill(pid, 'SIGHUP');
    await holder.lines.next({ event: 'reload', result: 'applied' });
    holder.rewrite(config('one', 'two'));
    process.kill(pid, 'SIGHUP');
    const { problems } = await holder.lines.next({ event: 'reload', result: 'rejected' });
    assert.match(String(problems), /listener two: fd:two was taken .* restart the process/);
    assert.equal((await fetchRaw({ port: one }, '/')).status, 200);
    process.kill(pid, 'SIGTERM');
    await holder.stopped(1);
  },
);
