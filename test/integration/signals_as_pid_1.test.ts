/**
 * Signals where Fairlead is PID 1, as in a container without an init: the kernel drops every signal for which PID 1 has
 * no handler, so that a `docker stop` would wait its ten seconds and then kill.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { catches, SIGUSR2 } from '../support/caught_signals.ts';
import { LogLines } from '../support/log_lines.ts';
import { configText } from '../support/plan_builder.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const NAMESPACE = ['--fork', '--pid', '--mount-proc', '--kill-child'];
/** As root, or in a namespace of users where the machine lets everybody have one. */
const WAYS = [NAMESPACE, ['--user', '--map-root-user', ...NAMESPACE]];
const way = WAYS.find(options => spawnSync('unshare', [...options, 'true']).status === 0);
const skip = way === undefined ? 'unshare is missing here, or may not make a namespace of processes' : false;

const folder = mkdtempSync(join(tmpdir(), 'fairlead-pid-1-'));
after(() => rmSync(folder, { recursive: true }));
const config = join(folder, 'fairlead.yaml');
writeFileSync(
  config,
  configText({
    version: 1,
    admin: { address: 'off' },
    listeners: { main: { address: '127.0.0.1:0' } },
    routes: [{ name: 'all', match: { path: { prefix: '/' } }, respond: { status: 204 } }],
  }),
);

/** Those of a test that has failed; with `--kill-child` their PID 1 goes too. */
const running = new Set<ChildProcess>();
after(() => {
  for (const unshare of running) unshare.kill('SIGKILL');
});

interface PidOne {
  /** As the machine sees it; in its own namespace it is 1. */
  readonly pid: number;
  readonly lines: LogLines;
  readonly ended: Promise<number | NodeJS.Signals>;
}

async function startAsPidOne(): Promise<PidOne> {
  const command = [process.execPath, join(ROOT, 'src/main.ts'), 'run', '--config', config];
  const unshare = spawn('unshare', [...(way ?? []), ...command], { stdio: ['ignore', 'pipe', 'ignore'] });
  running.add(unshare);
  const lines = new LogLines();
  unshare.stdout.on('data', (chunk: Buffer) => lines.take(chunk.toString()));
  const ended = once(unshare, 'close').then(([code, signal]) => {
    lines.end(`ended with ${code ?? signal}`);
    return (code ?? signal) as number | NodeJS.Signals;
  });
  const pid = await childOf(unshare);
  await catches(pid, SIGUSR2);
  assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^NSpid:.*\t1$/m, 'it is PID 1');
  return { pid, lines, ended };
}

async function childOf({ pid }: ChildProcess): Promise<number> {
  for (;;) {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    if (child !== undefined && child !== '') return Number(child);
    await turn();
  }
}

test('SIGTERM while PID 1 starts ends it with 0', { skip }, async () => {
  const { pid, lines, ended } = await startAsPidOne();
  process.kill(pid, 'SIGTERM');
  assert.equal(await ended, 0);
  assert.deepEqual(lines.find({ event: 'phase_changed' }), [], 'nothing was open yet');
});

test('SIGHUP reloads a PID 1 that serves, and SIGTERM drains it and ends it with 0', { skip }, async () => {
  const { pid, lines, ended } = await startAsPidOne();
  await lines.next({ event: 'phase_changed', to: 'serving' });
  process.kill(pid, 'SIGHUP');
  await lines.next({ event: 'reload', trigger: 'signal' });
  process.kill(pid, 'SIGTERM');
  assert.equal(await ended, 0);
  const [stopped] = lines.find({ event: 'phase_changed', to: 'stopped' });
  assert.notEqual(stopped, undefined);
});
