/**
 * A whole Fairlead for a test: in the process of the test (quick, can be looked into) or as a process of its own
 * (signals, exit codes, memory). Both read their configuration from a file, log JSON lines that a test can wait
 * for, and end with an assertion that the drain was clean.
 *
 *   await using proxy = await startProxy(forwardTo([backend.address]));
 *   const answer = await fetchRaw(proxy.target(), '/');
 *   await proxy.lines.next({ status: 200 });
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Admin } from '../../src/admin/admin.ts';
import type { AdminViews } from '../../src/admin/admin_views.ts';
import type { ProcessView } from '../../src/lifecycle/process_view.ts';
import {
  type StartOptions,
  type StartResult,
  startProxy as start,
} from '../../src/lifecycle/running_proxy.ts';
import { parseAddress } from '../../src/net/address.ts';
import { LogLines } from './log_lines.ts';
import { type Config, configText, load } from './plan_builder.ts';
import { startPlanStorm } from './plan_storm.ts';
import type { Target } from './raw_client.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Running extends AsyncDisposable {
  readonly lines: LogLines;
  readonly configFile: string;
  /** Where to connect to. */
  target(listener?: string): Target & { readonly port: number };
  /** Puts another configuration in place of the file, in one step as an editor would. Reloads nothing. */
  rewrite(config: Config): void;
  /** Drains, and asserts that it ended cleanly. A second call only waits. */
  stop(): Promise<void>;
}

type Started = Extract<StartResult, { kind: 'started' }>;

export interface ProxyInProcess extends Running {
  readonly proxy: Started['proxy'];
  readonly report: AdminViews;
  /** Where the admin API is. */
  admin(): Target & { readonly port: number };
}

export interface ProxyProcess extends Running {
  readonly pid: number;
  /** The exit code, or the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  signal(signal: NodeJS.Signals): void;
  /** What came on standard error. */
  readonly stderr: () => string;
}

/** `logsToFile`: as the configuration says; `lines` stays empty. */
export type InProcessOptions = Pick<StartOptions, 'lookUp' | 'heapRatio'> & { readonly logsToFile?: boolean };

export async function startProxy(
  config: Config,
  { logsToFile = false, ...options }: InProcessOptions = {},
): Promise<ProxyInProcess> {
  const files = new ConfigFile(config);
  const lines = new LogLines();
  const taken = { write: (line: string) => lines.take(line), reopen() {}, flush: async () => {} };
  const log = logsToFile ? {} : { log: taken };
  const loaded = load(config, files.path);
  const admins: Admin[] = [];
  const createAdmin = (view: ProcessView) => {
    const admin = new Admin(view);
    admins.push(admin);
    return admin;
  };
  const started = await start({ configFile: files.path, loaded, env: {}, createAdmin, ...log, ...options });
  if (started.kind === 'failed') {
    files.remove();
    throw new Error(`the proxy does not start: ${started.problems.join('; ')}`);
  }
  const { proxy } = started;
  const [admin] = admins;
  assert(admin !== undefined, 'a started proxy has its admin side');
  const { views: report } = admin;
  const storm = startPlanStorm(proxy, config, next => files.write(next));
  let stopped: Promise<void> | null = null;
  const stop = () => {
    storm?.stop();
    stopped ??= proxy.drain('the test').then(async end => {
      await storm?.ended;
      lines.end('the proxy has stopped');
      files.remove();
      assert.equal(end, 'clean', 'a clean drain');
    });
    return stopped;
  };
  const target = (listener = 'main') => targetOf(proxy.addresses.get(listener));
  return {
    proxy,
    lines,
    configFile: files.path,
    target,
    report,
    admin: () => targetOf(admin.address),
    rewrite: next => {
      assert(storm === null, 'a test that reloads by itself cannot run in a plan storm, which reloads too');
      files.write(next);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

export interface ProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Before src/main.ts, for Node: `--max-old-space-size=64`. */
  readonly nodeArgs?: readonly string[];
  /** RLIMIT_NOFILE of the process. */
  readonly openFilesMax?: number;
  /** Where the configuration is, and stays when the process has ended; with `null` as configuration it is there already. */
  readonly configFile?: string;
  /** SIGKILL after so long: a process that does not end fails its test, and does not hold it up. */
  readonly aliveMsMax?: number;
}

/** Resolves when the proxy serves. */
export async function startProxyProcess(
  config: Config | null,
  options: ProcessOptions = {},
): Promise<ProxyProcess> {
  const files = new ConfigFile(config, options.configFile);
  const lines = new LogLines();
  const args = [
    '--disable-warning=ExperimentalWarning',
    ...(options.nodeArgs ?? []),
    join(ROOT, 'bin/fairlead.js'),
  ];
  const { openFilesMax, aliveMsMax } = options;
  const limited = openFilesMax === undefined ? [] : ['sh', '-c', `ulimit -n ${openFilesMax}; exec "$0" "$@"`];
  const [command = '', ...words] = [...limited, process.execPath, ...args, 'run', '--config', files.path];
  const child = spawn(command, words, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const limit = aliveMsMax === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), aliveMsMax);
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => lines.take(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<number | NodeJS.Signals>(resolve => {
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      files.remove();
      lines.end(`the proxy ended with ${code ?? signal} ${stderr}`);
      resolve(code ?? signal ?? 'SIGKILL');
    });
  });
  let draining = false;
  let signalled = false;
  const stop = async () => {
    if (!draining) child.kill('SIGTERM');
    draining = true;
    assert.equal(await ended, 0, `a clean drain; standard error: ${stderr}`);
  };
  await lines.next({ event: 'phase_changed', to: 'serving' });
  const target = (listener = 'main') =>
    targetOf(lines.find({ event: 'listener_opened', listener }).at(-1)?.address);
  return {
    pid: child.pid ?? 0,
    lines,
    configFile: files.path,
    ended,
    signal: signal => {
      signalled = true;
      draining ||= signal === 'SIGTERM' || signal === 'SIGINT';
      child.kill(signal);
    },
    stderr: () => stderr,
    target,
    rewrite: next => files.write(next),
    stop,
    // A test that has ended the process itself has looked at how it ended.
    [Symbol.asyncDispose]: async () => {
      const over = child.exitCode !== null || child.signalCode !== null;
      if (!signalled || !over) await stop();
    },
  };
}

class ConfigFile {
  /** Null: the file is not ours. */
  readonly #folder: string | null;
  readonly path: string;

  constructor(config: Config | null, path?: string) {
    this.#folder = path === undefined ? mkdtempSync(join(tmpdir(), 'fairlead-proxy-')) : null;
    this.path = path ?? join(this.#folder ?? '', 'fairlead.yaml');
    if (config !== null) this.write(config);
  }
  write(config: Config): void {
    writeFileSync(`${this.path}.new`, configText(config));
    renameSync(`${this.path}.new`, this.path);
  }
  remove(): void {
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
  }
}

function targetOf(address: unknown): Target & { readonly port: number } {
  const parsed = typeof address === 'string' ? parseAddress(address) : 'no such listener';
  if (typeof parsed === 'string') throw new Error(`${String(address)}: ${parsed}`);
  assert(parsed.kind !== 'fd');
  return parsed.kind === 'unix' ? { path: parsed.path, port: 0 } : { host: parsed.host, port: parsed.port };
}
