/**
 * Runs one test file in a process of its own, and says how it went.
 *
 * The process leads its own group, so that a hung file is killed together with everything that it has started.
 * A file fails when a test fails, when it ends before its summary (somebody called `process.exit`), when it has
 * no test, or when it is not over in time: then the tests that still ran are named, or, if all were over, that
 * something open kept the process alive.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FileEvent } from './event_reporter.ts';

export const COUNTS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const;
export type Counts = Record<(typeof COUNTS)[number], number>;

export interface FileResult {
  readonly path: string;
  readonly counts: Counts;
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** Null: passed. */
  readonly problem: string | null;
  readonly output: string;
  readonly tookMs: number;
}

const OUTPUT_CHARS_MAX = 200_000; // of each file, the last ones: a test in a loop must not fill the memory
const REPORTER = fileURLToPath(new URL('event_reporter.ts', import.meta.url));
const running = new Set<ChildProcess>();

/** For the end of the runner itself: its children are not in its process group. */
export function killAll(): void {
  for (const child of running) killGroup(child);
}

export async function runTestFile(
  path: string,
  limitMs: number,
  variables: Readonly<Record<string, string>> = {},
): Promise<FileResult> {
  const startedAtMs = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-test-'));
  const eventFile = join(folder, 'events');
  const child = start(path, eventFile, variables);
  running.add(child);
  let output = '';
  const collect = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  let overdue = false;
  const timer = setTimeout(() => {
    overdue = true;
    killGroup(child);
  }, limitMs);
  const ending = await endOf(child);
  clearTimeout(timer);
  running.delete(child);
  killGroup(child); // what the file started and left behind
  const events = readEvents(eventFile);
  rmSync(folder, { recursive: true });
  const counts = countsOf(events);
  const problem = overdue ? describeHang(events, limitMs) : problemOf(counts, ending);
  if (problem !== null && counts.fail === 0) {
    counts.fail++; // the file itself
    counts.tests++;
  }
  const skipped = events.filter(event => event.kind === 'skipped');
  output += failuresOf(events, overdue);
  return {
    path,
    counts,
    skipped,
    problem,
    output: withoutCounts(output),
    tookMs: performance.now() - startedAtMs,
  };
}

function start(path: string, eventFile: string, variables: Readonly<Record<string, string>>): ChildProcess {
  const env: NodeJS.ProcessEnv = { ...process.env, ...variables };
  // Of the runner that may run this runner; and of the person who runs it.
  delete env.NODE_TEST_CONTEXT;
  delete env.FAIRLEAD_CONFIG;
  return spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      `--test-reporter=${REPORTER}`,
      `--test-reporter-destination=${eventFile}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      path,
    ],
    { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  );
}

function endOf(child: ChildProcess): Promise<string | null> {
  return new Promise(resolve => {
    child.once('error', error => resolve(`cannot run: ${error.message}`));
    // `exit` and not `close`: a process that it left behind may hold the pipe.
    child.once('exit', (code, signal) => {
      const ending = signal === null ? (code === 0 ? null : `exit code ${code}`) : `killed by ${signal}`;
      setImmediate(() => resolve(ending)); // what is in the pipe is read first
    });
  });
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}

function readEvents(eventFile: string): FileEvent[] {
  let text = '';
  try {
    text = readFileSync(eventFile, 'utf8');
  } catch {
    // The process ended before the reporter opened its file.
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1); // a killed process may leave half a line
  return whole.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as FileEvent]));
}

function countsOf(events: readonly FileEvent[]): Counts {
  const counts = Object.fromEntries(COUNTS.map(what => [what, 0])) as Counts;
  for (const event of events) if (event.kind === 'count') counts[event.what as keyof Counts] = event.count;
  return counts;
}

function problemOf(counts: Counts, ending: string | null): string | null {
  const failed = counts.fail + counts.cancelled;
  if (failed > 0) return `${failed} failed`;
  if (ending !== null) return ending;
  // With exit code 0 and no count the file ended before its summary.
  return counts.tests === 0 ? 'ran no test to its end' : null;
}

function describeHang(events: readonly FileEvent[], limitMs: number): string {
  const open: string[] = [];
  for (const event of events) {
    if (event.kind === 'began') open.push(event.name);
    const at = event.kind === 'ended' ? open.lastIndexOf(event.name) : -1;
    if (at !== -1) open.splice(at, 1); // a hook ends without having begun
  }
  const why =
    open.length === 0
      ? 'its tests were over: an open socket, timer or child process kept it alive'
      : `still running: ${open.join(' > ')}`;
  return `killed after ${limitMs / 1_000} s; ${why}`;
}

/** What Node's reporter has not shown: when the file was killed all, for it shows them at the end. */
function failuresOf(events: readonly FileEvent[], killed: boolean): string {
  const failed = events.filter(event => event.kind === 'failed').filter(({ hidden }) => hidden || killed);
  return failed.map(({ name, detail }) => `✖ ${name}\n${detail.replace(/^/gm, '  ')}\n`).join('');
}

/** The closing lines of one file are left to the closing lines of all. */
function withoutCounts(output: string): string {
  return output.replace(
    /^(?:\x1b\[\d+m)?ℹ (?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) .*\n/gm,
    '',
  );
}
