/**
 * Reloads a large configuration again and again, and measures what the traffic notices. Prints a Markdown table.
 *
 *   node loadtest/large_reload.ts [--routes 10000] [--endpoints 1000] [--reloads 20]
 *
 * The longest pause is that of a client who asks /livez 2 ms after each answer; without a reload it shows what the machine itself
 * takes. Resident memory is read when the reload has been reported; garbage is collected when V8 thinks fit.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { residentBytes } from '../test/support/process_figures.ts';
import { freePort } from './external_program.ts';
import { largeConfig } from './large_config.ts';
import { Pulse } from './pulse.ts';

const QUIET_MS = 1_000;
const MIB = 1_024 * 1_024;

const { values } = parseArgs({
  options: {
    routes: { type: 'string', default: '10000' },
    endpoints: { type: 'string', default: '1000' },
    reloads: { type: 'string', default: '20' },
  },
});
const [routes, endpoints, reloads] = [values.routes, values.endpoints, values.reloads].map(Number);
if (!(Number(routes) > 0 && Number(endpoints) > 0 && Number(reloads) > 0))
  throw new Error('usage: large_reload.ts [--routes N] [--endpoints N] [--reloads N], each above 0');

const folder = mkdtempSync(join(tmpdir(), 'fairlead-large-'));
const configFile = join(folder, 'fairlead.yaml');
const [port, adminPort] = [await freePort(), await freePort()];
writeConfig(0);
const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const child = spawn(
  process.execPath,
  ['--disable-warning=ExperimentalWarning', program, 'run', '--config', configFile],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
const events = readEvents();
try {
  await next(({ to }) => to === 'serving');
  await measure(child.pid ?? 0);
} finally {
  child.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}

async function measure(pid: number): Promise<void> {
  const pulse = new Pulse(adminPort, '/livez');
  process.stdout.write(
    '| reload | reload time ms | longest pause ms | without a reload ms | resident MiB |\n',
  );
  process.stdout.write('|---:|---:|---:|---:|---:|\n');
  const pauses: number[] = [];
  for (let reload = 1; reload <= Number(reloads); reload++) {
    pulse.takeLongestMs();
    await sleep(QUIET_MS);
    const quietMs = pulse.takeLongestMs();
    writeConfig(reload);
    child.kill('SIGHUP');
    const { result, tookMs, problems } = await next(({ event }) => event === 'reload');
    if (result !== 'applied') throw new Error(`the reload was ${result}: ${JSON.stringify(problems)}`);
    await sleep(QUIET_MS); // what the swap leaves to do belongs to the reload
    const pauseMs = pulse.takeLongestMs();
    pauses.push(pauseMs);
    const cells = [reload, tookMs, pauseMs.toFixed(0), quietMs.toFixed(0)];
    process.stdout.write(`| ${cells.join(' | ')} | ${(residentBytes(pid) / MIB).toFixed(0)} |\n`);
  }
  await pulse.stop();
  if (pulse.failures.length > 0) throw new Error(`failed: ${pulse.failures.slice(0, 5).join(', ')}`);
  const sorted = pauses.sort((a, b) => a - b);
  process.stdout.write(
    `\n- ${routes} routes, ${endpoints} endpoints; longest pause: median ${sorted[Math.floor(sorted.length / 2)]?.toFixed(0)} ms, most ${sorted.at(-1)?.toFixed(0)} ms.\n`,
  );
  process.stdout.write(
    `- Node ${process.version}, Linux ${release()}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}; load ${loadavg()
      .map(load => load.toFixed(1))
      .join(' ')}.\n`,
  );
}

function writeConfig(edit: number): void {
  const text = largeConfig({ routes: Number(routes), endpoints: Number(endpoints), port, adminPort, edit });
  writeFileSync(`${configFile}.new`, text);
  renameSync(`${configFile}.new`, configFile);
}

async function* readEvents(): AsyncGenerator<Record<string, unknown>, void> {
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('{')) yield JSON.parse(line);
}

async function next(isWanted: (event: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
  for (;;) {
    const { done, value } = await events.next();
    if (done === true) throw new Error('the proxy has ended');
    if (isWanted(value)) return value;
  }
}
