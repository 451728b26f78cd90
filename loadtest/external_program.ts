/** Runs a program that is not a module of this process as a peer: configuration in, port out, ended by its id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { announcePort, listenOnLoopback } from './announce.ts';

const READY_MS = 15_000;
const GRACE_MS = 3_000;
const EXTRA_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

export interface Program {
  readonly command: string;
  /** Writes the configuration into the folder and returns the arguments that name it. */
  readonly configure: (folder: string, port: number) => Promise<readonly string[]>;
}

export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...EXTRA_FOLDERS];
  return folders.map(folder => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Free now; nobody promises that it still is in a moment, but on loopback that is good enough. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  await new Promise(resolve => server.close(resolve));
  return port;
}

export async function runProgram(program: Program): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-loadtest-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const args = await program.configure(folder, port);
  const log = join(folder, 'stderr.txt');
  const stderr = openSync(log, 'w');
  const child = spawn(program.command, args, { cwd: folder, stdio: ['ignore', 'ignore', stderr] });
  closeSync(stderr);
  child.on('error', () => undefined); // answers() below then never holds, and the log or the timeout tells
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const end = () => void endChild(child, ended).then(() => process.exit(0));
  process.once('SIGTERM', end).once('SIGINT', end);
  if (!(await becomesReady(child, port))) {
    const why = readFileSync(log, 'utf8').trim().split('\n').slice(-8).join('\n');
    await endChild(child, ended);
    throw new Error(`${program.command} ${args.join(' ')} is not ready (exit ${child.exitCode}):\n${why}`);
  }
  child.once('exit', () => process.exit(1));
  announcePort(port, end);
}

async function becomesReady(child: ChildProcess, port: number): Promise<boolean> {
  const deadline = performance.now() + READY_MS;
  while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
    if (await answers(port)) return true;
    await sleep(50);
  }
  return false;
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const request = get({ host: '127.0.0.1', port, path: '/', agent: false, timeout: 1_000 }, response => {
      response.resume();
      response.once('close', () => resolve(response.statusCode === 200));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

async function endChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.removeAllListeners('exit').once('exit', () => process.exit(0));
  child.kill('SIGTERM');
  await Promise.race([ended, sleep(GRACE_MS)]);
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await Promise.race([ended, sleep(GRACE_MS)]);
}
