/** What a process holds, from /proc. Throws for a process that is gone. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const KIB = 1_024;
const LISTENING = '0A'; // state of a socket in /proc/net/tcp

export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kib === undefined) throw new Error(`process ${pid} has no resident memory`);
  return Number(kib) * KIB;
}

export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** TCP ports that the process itself listens on. */
export function listeningPorts(pid: number): number[] {
  const own = new Set(readdirSync(`/proc/${pid}/fd`).map(fd => socketOf(`/proc/${pid}/fd/${fd}`)));
  const ports: number[] = [];
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)) {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    if (state === LISTENING && own.has(inode)) ports.push(Number.parseInt(local.split(':')[1] ?? '', 16));
  }
  return ports.sort((a, b) => a - b);
}

/** The inode; empty for what is not a socket, or closed meanwhile. */
function socketOf(path: string): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1] ?? '';
  } catch {
    return '';
  }
}
