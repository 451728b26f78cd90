/**
 * Which process listens on an address, as far as Linux tells it: /proc/net has the inode of each listening socket,
 * /proc/PID/fd the sockets of each process that this user may look at (proc(5)). Asked only after a bind has failed.
 *
 * The bind may be that of a reload, in a process that serves. So the search never blocks the event loop for long, keeps few
 * threads of the pool busy (names and files need them too), and gives up after `SEARCH_MS_MAX`: root may look at millions of
 * descriptors.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { isIP } from 'node:net';
import { type Clock, systemClock } from '../resilience/clock.ts';
import type { Address } from './address.ts';

/** Enough for tens of thousands of descriptors; the failed start or reload waits for it. */
const SEARCH_MS_MAX = 1_000;
/** Descriptors that are looked at together. */
const BATCH = 32;

interface PortHolder {
  readonly pid: number;
  /** At most 15 characters; the kernel keeps no more. */
  readonly command: string;
}

/** Null: the system does not say, the process belongs to another user, or the search took too long. */
export async function findPortHolder(
  address: Address,
  proc = '/proc',
  clock: Pick<Clock, 'nowMs'> = systemClock,
): Promise<PortHolder | null> {
  const endMs = clock.nowMs() + SEARCH_MS_MAX;
  const isLate = (): boolean => clock.nowMs() >= endMs;
  const inodes = await listeningInodes(address, proc);
  if (inodes.size === 0) return null;
  for (const pid of (await namesIn(proc)).filter(name => /^\d+$/.test(name))) {
    if (isLate()) return null;
    if (!(await holdsOne(`${proc}/${pid}/fd`, inodes, isLate))) continue;
    const command = await readFile(`${proc}/${pid}/comm`, 'utf8').catch(() => 'a process');
    return { pid: Number(pid), command: command.trim() };
  }
  return null;
}

/** Whether one of the descriptors in `folder` is one of the sockets. */
async function holdsOne(
  folder: string,
  inodes: ReadonlySet<string>,
  isLate: () => boolean,
): Promise<boolean> {
  const names = await namesIn(folder);
  for (let at = 0; at < names.length && !isLate(); at += BATCH) {
    const batch = names.slice(at, at + BATCH).map(name => readlink(`${folder}/${name}`).catch(() => ''));
    if ((await Promise.all(batch)).some(link => inodes.has(link))) return true;
  }
  return false;
}

/** As the links in /proc/PID/fd name them: `socket:[4711]`. */
async function listeningInodes(address: Address, proc: string): Promise<ReadonlySet<string>> {
  switch (address.kind) {
    case 'fd':
      return new Set();
    case 'unix': {
      const rows = await rowsOf(`${proc}/net/unix`, address.path);
      return socketsOf(rows.filter(row => row[7] === address.path).map(row => row[6]));
    }
    case 'tcp': {
      const port = `:${address.port.toString(16).toUpperCase().padStart(4, '0')} `;
      const tables = await Promise.all(['tcp', 'tcp6'].map(name => rowsOf(`${proc}/net/${name}`, port)));
      const rows = tables.flat().filter(row => isListening(row) && overlaps(row[1] ?? '', address));
      return socketsOf(rows.map(row => row[9]));
    }
  }
}

function socketsOf(inodes: readonly (string | undefined)[]): ReadonlySet<string> {
  return new Set(inodes.map(inode => `socket:[${inode}]`));
}

const STATE_LISTEN = '0A';

function isListening(row: readonly string[]): boolean {
  return row[3] === STATE_LISTEN;
}

/** Whether a socket at `local`, such as `0100007F:1F90`, is in the way of the address. */
function overlaps(local: string, { host, port }: Extract<Address, { kind: 'tcp' }>): boolean {
  const [hex = '', hexPort = ''] = local.split(':');
  if (Number.parseInt(hexPort, 16) !== port) return false;
  const isEvery = /^0+$/.test(hex) || host === '0.0.0.0' || host === '::' || isIP(host) === 0;
  if (isEvery) return true;
  if (hex.length > 8) return isIP(host) === 6;
  const bytes = [6, 4, 2, 0].map(at => Number.parseInt(hex.slice(at, at + 2), 16));
  return bytes.join('.') === host;
}

/** The rows that contain `text`, in columns: a proxy has a row for each of its connections, and most are of other ports. */
async function rowsOf(file: string, text: string): Promise<string[][]> {
  const table = await readFile(file, 'utf8').catch(() => '');
  return table
    .split('\n')
    .filter(line => line.includes(text))
    .map(line => line.trim().split(/\s+/));
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
