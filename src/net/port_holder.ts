/**
 * Which process listens on an address, as far as Linux tells it: /proc/net has the inode of each listening socket,
 * /proc/PID/fd the sockets of each process that this user may look at (proc(5)). Asked only after a bind has failed.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Address } from './address.ts';

interface PortHolder {
  readonly pid: number;
  /** At most 15 characters; the kernel keeps no more. */
  readonly command: string;
}

/** Null: the system does not say, or the process belongs to another user. */
export async function findPortHolder(address: Address, proc = '/proc'): Promise<PortHolder | null> {
  const inodes = await listeningInodes(address, proc);
  if (inodes.size === 0) return null;
  for (const pid of (await namesIn(proc)).filter(name => /^\d+$/.test(name))) {
    const folder = `${proc}/${pid}/fd`;
    const links = await Promise.all(
      (await namesIn(folder)).map(name => readlink(`${folder}/${name}`).catch(() => '')),
    );
    if (!links.some(link => inodes.has(link))) continue;
    const command = await readFile(`${proc}/${pid}/comm`, 'utf8').catch(() => 'a process');
    return { pid: Number(pid), command: command.trim() };
  }
  return null;
}

/** As the links in /proc/PID/fd name them: `socket:[4711]`. */
async function listeningInodes(address: Address, proc: string): Promise<ReadonlySet<string>> {
  switch (address.kind) {
    case 'fd':
      return new Set();
    case 'unix': {
      const rows = await rowsOf(`${proc}/net/unix`);
      return socketsOf(rows.filter(row => row[7] === address.path).map(row => row[6]));
    }
    case 'tcp': {
      const [four, six] = await Promise.all([rowsOf(`${proc}/net/tcp`), rowsOf(`${proc}/net/tcp6`)]);
      const rows = [...four, ...six].filter(row => isListening(row) && overlaps(row[1] ?? '', address));
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

/** The table without its headline, in columns. */
async function rowsOf(file: string): Promise<string[][]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/));
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
