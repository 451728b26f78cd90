/**
 * CPU time per forwarded request, Fairlead's and its peers', in one run on one machine, as a Markdown table.
 *
 *   node loadtest/report.ts [--only fairlead,nginx] [--rounds 5] [--requests 20000] [--warmup 5000]
 *                           [--connections 64] [--tool own|wrk] [--seconds 3] [--first-warmup 40000]
 *
 * CPU time and not throughput is what is compared: proxy, backend and load generator share few cores, so that
 * requests/s says as much about the other two as about the proxy. The peers take turns, each round beginning with
 * another one, so that a change of the machine's speed meets all of them; figures are medians over the rounds.
 */
import { execFile } from 'node:child_process';
import { cpus, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { type Child, startChild } from './child.ts';
import { readCpuTime, readMachineSeconds, TICK_SECONDS } from './cpu_time.ts';
import type { LoadResult } from './load.ts';

const PEERS: Readonly<Record<string, string>> = {
  fairlead: 'Fairlead',
  fastify_http_proxy: '@fastify/http-proxy',
  http_proxy_3: 'http-proxy-3',
  undici_sketch: 'node:http + undici (sketch)',
  nginx: 'nginx',
  haproxy: 'HAProxy',
};
const REFERENCE = 'fastify_http_proxy';
const SETTLE_MS = 200;
const LOAD = fileURLToPath(new URL('load.ts', import.meta.url));

interface Round {
  readonly userMicros: number; // per request, as the next two
  readonly systemMicros: number;
  readonly cpuMicros: number;
  readonly requestsPerSecond: number;
  readonly proxyBusy: number; // of one core
  readonly machineBusy: number; // of all cores
}

interface Entry {
  readonly name: string;
  readonly child: Child;
  readonly rounds: Round[];
  readonly failures: string[];
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '20000' },
    warmup: { type: 'string', default: '5000' },
    'first-warmup': { type: 'string', default: '40000' }, // until V8 has compiled what is hot
    connections: { type: 'string', default: '64' },
    tool: { type: 'string', default: 'own' },
    seconds: { type: 'string', default: '3' },
  },
});

const names = values.only === undefined ? Object.keys(PEERS) : values.only.split(',');
for (const name of names)
  if (PEERS[name] === undefined)
    throw new Error(`no peer "${name}"; there are ${Object.keys(PEERS).join(', ')}`);

const children: Child[] = [];
const absences: string[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void endAll().then(() => process.exit(1)));
try {
  await measure();
} finally {
  await endAll();
}

async function measure(): Promise<void> {
  const backend = await startChild('backend.ts', []);
  if (!('child' in backend)) throw new Error(`backend: ${JSON.stringify(backend)}`);
  children.push(backend.child);
  const entries: Entry[] = [];
  for (const name of names) {
    const started = await startChild(`peers/${name}.ts`, [String(backend.child.port)]);
    if ('absent' in started) {
      absences.push(`${PEERS[name]}: not measured, ${started.absent}`);
      continue;
    }
    if ('broken' in started) {
      absences.push(`${PEERS[name]}: DID NOT START, ${started.broken}`);
      process.exitCode = 1;
      continue;
    }
    children.push(started.child);
    await compareAnswers(name, started.child.port, backend.child.port);
    entries.push({ name, child: started.child, rounds: [], failures: [] });
  }
  for (const { child } of entries) await runLoad(child.port, Number(values['first-warmup']), 3);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (let turn = 0; turn < entries.length; turn += 1) {
      const entry = entries[(round + turn) % entries.length];
      if (entry !== undefined) await takeTurn(entry, round);
    }
  }
  process.stdout.write(`${table(entries)}\n\n${notes(entries)}\n`);
  if (entries.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
}

/** Whoever does not forward the backend's answer is fast for the wrong reason. */
async function compareAnswers(name: string, ...ports: readonly number[]): Promise<void> {
  const answers = ports.map(async port => {
    const response = await fetch(`http://127.0.0.1:${port}/compare?all=1`);
    const cost = response.headers.get('x-request-cost');
    return `${response.status} ${response.headers.get('etag')} ${cost} ${await response.text()}`;
  });
  const [theirs, expected] = await Promise.all(answers);
  if (theirs !== expected)
    throw new Error(`${name} does not answer as the backend does: ${theirs?.slice(0, 200)}`);
}

async function takeTurn(entry: Entry, round: number): Promise<void> {
  try {
    const measured = await measureRound(entry.child);
    entry.rounds.push(measured);
    const cpu = measured.cpuMicros.toFixed(1);
    process.stderr.write(
      `round ${round + 1} ${entry.name}: ${cpu} us, ${measured.requestsPerSecond.toFixed(0)}/s\n`,
    );
  } catch (error) {
    entry.failures.push(`round ${round + 1}: ${error instanceof Error ? error.message : String(error)}`);
    process.stderr.write(`round ${round + 1} ${entry.name}: ${entry.failures.at(-1)}\n`);
  }
}

async function measureRound({ pid, port }: Child): Promise<Round> {
  await runLoad(port, Number(values.warmup), 1);
  await sleep(SETTLE_MS); // the closing of the warm-up's connections is not part of the round
  const machineBefore = readMachineSeconds();
  const before = readCpuTime(pid);
  const started = performance.now();
  const load = await runLoad(port, Number(values.requests), Number(values.seconds));
  const after = readCpuTime(pid);
  const wall = (performance.now() - started) / 1_000;
  const machine = readMachineSeconds() - machineBefore;
  if (before.pids.join() !== after.pids.join()) throw new Error('the processes of the proxy changed');
  const perRequest = (seconds: number) => (seconds * 1e6) / load.requests;
  const user = after.userSeconds - before.userSeconds;
  const system = after.systemSeconds - before.systemSeconds;
  return {
    userMicros: perRequest(user),
    systemMicros: perRequest(system),
    cpuMicros: perRequest(user + system),
    requestsPerSecond: load.requests / load.seconds,
    proxyBusy: (user + system) / load.seconds,
    machineBusy: machine / wall / cpus().length,
  };
}

async function runLoad(port: number, requests: number, seconds: number): Promise<LoadResult> {
  const options = { port, requests, seconds, connections: values.connections, tool: values.tool };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { stdout } = await promisify(execFile)(process.execPath, [LOAD, ...args]);
  const result = JSON.parse(stdout) as LoadResult;
  if (result.errors.length > 0) throw new Error(result.errors[0]);
  return result;
}

function table(entries: readonly Entry[]): string {
  const reference = entries.find(({ name }) => name === REFERENCE);
  const base = median(reference?.rounds.map(({ cpuMicros }) => cpuMicros) ?? []);
  const rows = entries.map(({ name, rounds }) => {
    const cpu = rounds.map(({ cpuMicros }) => cpuMicros);
    const rates = rounds.map(({ requestsPerSecond }) => requestsPerSecond);
    return [
      PEERS[name] ?? name,
      show(median(cpu), 1),
      `${show(Math.min(...cpu), 1)} to ${show(Math.max(...cpu), 1)}`,
      show(median(rounds.map(({ userMicros }) => userMicros)), 1),
      show(median(rounds.map(({ systemMicros }) => systemMicros)), 1),
      show(median(cpu) / base, 2),
      show(median(rates), 0),
      `${show(Math.min(...rates), 0)} to ${show(Math.max(...rates), 0)}`,
      show(median(rounds.map(({ proxyBusy }) => proxyBusy * 100)), 0),
      String(rounds.length),
    ];
  });
  const head = ['peer', 'CPU us/request', 'min to max', 'user', 'system', `ratio to ${PEERS[REFERENCE]}`];
  head.push('requests/s', 'min to max', 'proxy % of a core', 'rounds');
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [head, rule, ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n');
}

function notes(entries: readonly Entry[]): string {
  const amount = values.tool === 'wrk' ? `${values.seconds} s of wrk` : `${values.requests} requests`;
  const busy = median(entries.flatMap(({ rounds }) => rounds.map(({ machineBusy }) => machineBusy * 100)));
  const step = (TICK_SECONDS * 1e6) / Number(values.requests);
  const lines = [
    `${values.rounds} interleaved rounds of ${amount} over ${values.connections} kept connections, 1 KiB answers.`,
    `Node ${process.version}, Linux ${release()}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}; all cores ${show(busy, 0)} % busy.`,
    ...(values.tool === 'wrk'
      ? []
      : [`One clock tick of /proc is ${show(step, 1)} us/request in one round.`]),
    ...absences,
    ...entries.flatMap(({ name, failures }) =>
      failures.map(failure => `${PEERS[name]}: failed in ${failure}`),
    ),
  ];
  return lines.map(line => `- ${line}`).join('\n');
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function show(number: number, digits: number): string {
  return Number.isFinite(number) ? number.toFixed(digits) : '-';
}

async function endAll(): Promise<void> {
  await Promise.all(children.splice(0).map(child => child.end()));
}
