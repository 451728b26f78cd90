/**
 * Attacks Fairlead, which runs as a process of its own, from another process, and measures what a well-behaved client notices.
 * Prints a Markdown table.
 *
 *   node loadtest/attacks.ts [--seconds 60] [--only slow_head,tiny_chunks] [--rate 200] [--connections 2048]
 *
 * All limits have their defaults, except the connections of the cluster (`--connections`): each upload or download in progress
 * has one of its own, so there must be more than slow clients can hold (docs/security.md).
 * Each attack gets a new process, so that its memory is not that of the attack before.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, getPriority, loadavg, release, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import type { GoodResult } from './attacks/good_client.ts';
import { eventLoopDelaySeconds, peakResidentBytes, refusals } from './attacks/process_figures.ts';
import { startChild } from './child.ts';
import { readCpuTime } from './cpu_time.ts';
import { freePort } from './external_program.ts';

const ATTACKS = [
  ...['none', 'slow_head', 'slow_body', 'slow_reader', 'connection_flood', 'connection_crowd'],
  ...['header_bombs', 'bulk_upload', 'chunk_extensions', 'tiny_chunks', 'rapid_reset', 'continuation_flood'],
  ...['settings_flood', 'ping_flood', 'priority_flood', 'empty_data', 'tiny_data', 'hpack_bomb'],
  ...['closed_windows', 'websocket_crowd', 'tls_handshakes', 'tls_silence'],
];
const P99_MS_MAX = 100;
const RESIDENT_MIB_MAX = 512;
/** How long the attack lasts before the client begins. */
const LEAD_SECONDS = 4;
/** The attacker would run on other machines, so it gets only the CPU time that the others leave. */
const ATTACKER_NICE = 10;
const READY_MS = 20_000;
const MIB = 1_024 * 1_024;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    only: { type: 'string' },
    rate: { type: 'string', default: '200' },
    connections: { type: 'string', default: '2048' },
  },
});
const seconds = Number(values.seconds);
const names = values.only?.split(',') ?? ATTACKS;

const backend = await startChild('attacks/backend.ts', []);
if (!('child' in backend)) throw new Error(`backend: ${JSON.stringify(backend)}`);
try {
  process.stdout.write(
    '| attack | p50 ms | p99 ms | max ms | errors of the good client | peak MiB | CPU % of a core | loop delay ms | refused |\n',
  );
  process.stdout.write('|---|---:|---:|---:|---|---:|---:|---:|---|\n');
  for (const name of names) process.stdout.write(`${await measure(name, backend.child.port)}\n`);
  process.stdout.write(
    `\n- ${seconds} s each, ${values.rate} requests/s of the good client, ${values.connections} connections to the backend.\n`,
  );
  process.stdout.write(
    `- Node ${process.version}, Linux ${release()}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}; load ${loadavg()
      .map(load => load.toFixed(1))
      .join(' ')}.\n`,
  );
} finally {
  await backend.child.end();
}

async function measure(name: string, backendPort: number): Promise<string> {
  const [port, tlsPort, adminPort] = [await freePort(), await freePort(), await freePort()];
  await using proxy = await startProxy(port, tlsPort, adminPort, backendPort);
  const before = readCpuTime(proxy.pid);
  const beganAtMs = performance.now();
  const attack = run(ATTACKER_NICE, 'attacks/attacker.ts', name, port, tlsPort, seconds + 2 * LEAD_SECONDS);
  await sleep(LEAD_SECONDS * 1_000);
  const good = JSON.parse(await run(0, 'attacks/good_client.ts', port, values.rate, seconds)) as GoodResult;
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const after = readCpuTime(proxy.pid);
  const wallSeconds = (performance.now() - beganAtMs) / 1_000;
  const busy = after.userSeconds + after.systemSeconds - before.userSeconds - before.systemSeconds;
  const peakMiB = peakResidentBytes(proxy.pid) / MIB;
  const { opened } = JSON.parse(await attack) as { readonly opened: number };
  if (good.p99Ms > P99_MS_MAX || peakMiB > RESIDENT_MIB_MAX) process.exitCode = 1;
  const cells = [
    `${name} (${opened} connections)`,
    good.p50Ms.toFixed(1),
    good.p99Ms.toFixed(1),
    good.maxMs.toFixed(0),
    listed(Object.entries(good.errors)) || 'none',
    peakMiB.toFixed(0),
    ((100 * busy) / wallSeconds).toFixed(0),
    (1_000 * eventLoopDelaySeconds(metrics)).toFixed(1),
    listed(refusals(metrics)) || '-',
  ];
  return `| ${cells.join(' | ')} |`;
}

function listed(counts: Iterable<readonly [string, number]>): string {
  return [...counts].map(([what, count]) => `${what} ${count}`).join(', ');
}

/** `nice`: how far its priority is below that of the others. */
async function run(nice: number, module: string, ...args: readonly unknown[]): Promise<string> {
  const running = promisify(execFile)(process.execPath, [here(module), ...args.map(String)]);
  const { pid } = running.child;
  if (pid !== undefined && nice > 0) setPriority(pid, getPriority() + nice);
  return (await running).stdout;
}

async function startProxy(port: number, tlsPort: number, adminPort: number, backendPort: number) {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-attacks-'));
  const config = join(folder, 'fairlead.yaml');
  writeFileSync(
    config,
    `
version: 1
admin: { address: 127.0.0.1:${adminPort} }
listeners:
  main: { address: 127.0.0.1:${port}, h2c: true }
  secure:
    address: 127.0.0.1:${tlsPort}
    tls:
      certificates:
        - certFile: ${here('../test/support/certificates/server.crt')}
          keyFile: ${here('../test/support/certificates/server.key')}
routes:
  - { name: all, forward: { cluster: app } }
clusters:
  app: { endpoints: [127.0.0.1:${backendPort}], pool: { connections: ${values.connections} } }
`,
  );
  const args = ['--disable-warning=ExperimentalWarning', here('../src/main.ts'), 'run', '--config', config];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
  const untilMs = performance.now() + READY_MS;
  while (!(await isReady(adminPort))) {
    if (performance.now() > untilMs || child.exitCode !== null) throw new Error('the proxy does not start');
    await sleep(50);
  }
  return {
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill('SIGQUIT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function isReady(adminPort: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${adminPort}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}
