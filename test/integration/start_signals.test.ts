/** Signals that come while the process starts: from the first line of the program on none is lost, and none kills. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { catches, SIGUSR1, SIGUSR2 } from '../support/caught_signals.ts';
import { LogLines } from '../support/log_lines.ts';
import { configText } from '../support/plan_builder.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-signals-'));
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

const COMMANDS = [[join(ROOT, 'src/main.ts')], [join(ROOT, 'bin/fairlead.js')]];
interface Starting {
  readonly child: ChildProcess;
  readonly lines: LogLines;
  readonly ended: Promise<number | NodeJS.Signals>;
}

function start(args: readonly string[]): Starting {
  const child = spawn(process.execPath, [...args, 'run', '--config', config], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines = new LogLines();
  child.stdout?.on('data', (chunk: Buffer) => lines.take(chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]) => {
    lines.end(`ended with ${code ?? signal}`);
    return (code ?? signal) as number | NodeJS.Signals;
  });
  return { child, lines, ended };
}

/** Whether somebody listens where Node's debugger would. */
function isDebuggerOpen(): Promise<boolean> {
  return new Promise(resolve => {
    const probe = connect(9229, '127.0.0.1');
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

for (const args of COMMANDS) {
  const name = args.map(arg => arg.replace(ROOT, '')).join(' ');

  test(`SIGHUP, SIGUSR1 and SIGUSR2 before anything is loaded are one reload and no end: ${name}`, async () => {
    const proxy = start(args);
    await catches(proxy.child.pid, SIGUSR2);
    for (const signal of ['SIGHUP', 'SIGUSR2', 'SIGUSR1', 'SIGHUP'] as const) proxy.child.kill(signal);
    const reload = await proxy.lines.next({ event: 'reload' });
    assert.equal(reload['trigger'], 'signal');
    assert.equal(await isDebuggerOpen(), false);
    proxy.child.kill('SIGTERM');
    assert.equal(await proxy.ended, 0);
    assert.equal(proxy.lines.find({ event: 'reload' }).length, 1);
  });

  test(`SIGTERM before anything is loaded ends the start with 0: ${name}`, async () => {
    const proxy = start(args);
    await catches(proxy.child.pid, SIGUSR2);
    proxy.child.kill('SIGTERM');
    assert.equal(await proxy.ended, 0);
    assert.equal(proxy.lines.find({ event: 'phase_changed' }).length, 0);
  });
}

test('a debugger that was opened before the first line is closed again', async () => {
  const proxy = start([join(ROOT, 'src/main.ts')]);
  await catches(proxy.child.pid, SIGUSR1); // Node's own handler is the first
  proxy.child.kill('SIGUSR1');
  await proxy.lines.next({ event: 'phase_changed', to: 'serving' });
  let closed = 0; // it comes twice for one signal
  while (closed < 500) closed = (await isDebuggerOpen()) ? 0 : closed + 1;
  proxy.child.kill('SIGTERM');
  assert.equal(await proxy.ended, 0);
});
