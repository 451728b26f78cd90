/** Starts a module of the load test as a process of its own, and ends it by its id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const READY_MS = 20_000;
const GRACE_MS = 8_000; // more than external_program.ts gives the program behind a peer

export interface Child {
  readonly pid: number;
  readonly port: number;
  readonly end: () => Promise<void>;
}

/** `absent`: cannot run on this machine, which is no fault; `broken`: should have started and did not. */
export type Started = { readonly child: Child } | { readonly absent: string } | { readonly broken: string };

export async function startChild(module: string, args: readonly string[]): Promise<Started> {
  const path = fileURLToPath(new URL(module, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined);
  let stderr = '';
  child.stderr.on('data', chunk => {
    stderr = `${stderr}${chunk}`.slice(-4_000);
  });
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
  const line = await Promise.race([
    firstLine(child),
    ended.then(() => undefined),
    sleep(READY_MS, undefined, { ref: false }),
  ]);
  const [word, ...rest] = (line ?? '').split(' ');
  if (word === 'port' && child.pid !== undefined)
    return { child: { pid: child.pid, port: Number(rest[0]), end: () => endProcess(child, ended) } };
  await endProcess(child, ended);
  return word === 'absent' ? { absent: rest.join(' ') } : { broken: firstError(stderr) };
}

/** The line that says what went wrong, out of a stack trace. */
function firstError(stderr: string): string {
  const lines = stderr.split('\n').filter(line => line.trim() !== '');
  return (lines.find(line => /error/i.test(line)) ?? lines.at(-1) ?? 'said no port').trim();
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    let text = '';
    child.stdout?.on('data', chunk => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
  });
}

async function endProcess(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.stdin?.end();
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  await Promise.race([ended, sleep(GRACE_MS, undefined, { ref: false })]);
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await ended;
}
