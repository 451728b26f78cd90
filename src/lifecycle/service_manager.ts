/**
 * Notifications to the service manager (sd_notify(3)): ready, reloading, stopping, a status text, and a watchdog from the
 * event loop. Without NOTIFY_SOCKET nothing happens.
 *
 * Node cannot send a datagram to a Unix socket, so this uses libc through `node:ffi`, which is experimental and used only in
 * this file. Where it fails the program `systemd-notify` does the same, slower. Without root that program is not taken for
 * the main process, so the unit then needs NotifyAccess=all.
 *
 * The variables of the service manager are removed from the environment, so that no child can send in this process's name.
 */
import { spawn } from 'node:child_process';
import { type Clock, systemMonotonicUsec, type Timer } from '../resilience/clock.ts';

export interface ServiceManager {
  ready(status: string): void;
  reloading(): void;
  stopping(): void;
  status(text: string): void;
  /** Asks for more time while draining. */
  extendTimeout(byMs: number): void;
  stop(): void;
}

type Send = (message: string) => void;

/** Maximum of messages that wait for the program `systemd-notify`. */
const WAITING_MAX = 16;

/** Removes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from `env`. */
export async function createServiceManager(
  env: Record<string, string | undefined>,
  clock: Clock,
  openSocket: (path: string) => Promise<Send> = openByFfi,
): Promise<ServiceManager> {
  const socket = env['NOTIFY_SOCKET'] ?? '';
  const intervalMs = watchdogIntervalMs(env);
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  const send: Send = socket === '' ? () => {} : await openSocket(socket).catch(() => byProgram(socket, env));
  let watchdog: Timer | null = null;
  const beat = (): void => {
    send('WATCHDOG=1');
    watchdog = clock.setTimer(beat, intervalMs ?? 0, undefined);
  };
  return {
    ready: status => {
      send(`READY=1\nSTATUS=${oneLine(status)}`);
      if (intervalMs !== null && watchdog === null) beat();
    },
    // Without the time, a reload of Type=notify-reload is taken for an older one (sd_notify(3)).
    reloading: () => send(`RELOADING=1\nMONOTONIC_USEC=${systemMonotonicUsec()}`),
    stopping: () => send('STOPPING=1\nSTATUS=draining'),
    status: text => send(`STATUS=${oneLine(text)}`),
    extendTimeout: byMs => send(`EXTEND_TIMEOUT_USEC=${Math.round(byMs * 1_000)}`),
    stop: () => clock.cancelTimer(watchdog),
  };
}

/**
 * One process per message, one after the other: READY must not overtake RELOADING. The number of waiting messages is
 * bounded; the oldest is dropped first.
 */
function byProgram(socket: string, env: Readonly<Record<string, string | undefined>>): Send {
  const waiting: string[] = [];
  let running = false;
  const next = (): void => {
    const message = waiting.shift();
    running = message !== undefined;
    if (message === undefined) return;
    try {
      const child = spawn('systemd-notify', ['--no-block', ...message.split('\n')], {
        stdio: 'ignore',
        env: { ...env, NOTIFY_SOCKET: socket },
      });
      child.once('error', next); // no such program: nothing is sent
      child.once('exit', next);
      child.unref(); // the end of the proxy does not wait for it
    } catch {
      running = false; // this process may not start others
    }
  };
  return message => {
    waiting.push(message);
    if (waiting.length > WAITING_MAX) waiting.shift();
    if (!running) next();
  };
}

/** Half of the watchdog time; null without a watchdog. */
function watchdogIntervalMs(env: Readonly<Record<string, string | undefined>>): number | null {
  const usec = Number(env['WATCHDOG_USEC']);
  const forUs = env['WATCHDOG_PID'] === undefined || env['WATCHDOG_PID'] === String(process.pid);
  return usec > 0 && forUs ? usec / 2_000 : null;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').slice(0, 500);
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;

/** A name that begins with @ is an abstract socket, whose address begins with a NUL (unix(7)). */
async function openByFfi(path: string): Promise<Send> {
  const { dlopen } = await import('node:ffi');
  const { functions } = dlopen(null, {
    socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
    sendto: { arguments: ['int32', 'buffer', 'uint64', 'int32', 'buffer', 'uint32'], return: 'int64' },
  });
  const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`);
  const address = Buffer.alloc(2 + name.length);
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  const fd = functions.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new Error('no socket to be had');
  return message => {
    const bytes = Buffer.from(message);
    functions.sendto(fd, bytes, BigInt(bytes.length), MSG_NOSIGNAL | MSG_DONTWAIT, address, address.length);
  };
}
