/**
 * How many sockets the process may hold. Every connection is a file descriptor, and the system limits their number
 * (RLIMIT_NOFILE). A process without descriptors cannot even refuse a connection: libuv accepts it and closes it silently,
 * and the admin API is unreachable too. So the limit is divided up front:
 *
 *   [ own ][ reserve: admin API, names, files ][ to backends ][ from clients ]
 *
 * Backends get what their pools may need, at most half: a client connection without a backend connection is of no use.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/**
 * For the admin API, name lookups, the files of a reload, a reopened log, and connections that are accepted to be
 * refused.
 */
const RESERVE = 16;

export interface DescriptorNeed {
  /** Maximum of client connections. */
  readonly clients: number;
  /** Maximum of backend connections. */
  readonly backends: number;
}

export interface DescriptorShare {
  readonly clientsMax: number;
  readonly backendsMax: number;
  /** The descriptor limit with which both would get what they may need. */
  readonly limitWanted: number;
}

/** `own`: descriptors that the process holds without any connection. */
export function shareDescriptors(limit: number, own: number, need: DescriptorNeed): DescriptorShare {
  const free = limit - own - RESERVE;
  const clientsMax = Math.max(1, free - Math.min(need.backends, Math.floor(free / 2)));
  const backendsMax = Math.max(1, free - Math.min(need.clients, clientsMax));
  return { clientsMax, backendsMax, limitWanted: own + RESERVE + need.clients + need.backends };
}

/** The soft limit; Node raises it to the hard limit at its start. Null: not Linux, or no descriptor is left to read it. */
export function descriptorLimit(): number | null {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return found === null ? null : Number(found[1]);
  } catch {
    return null;
  }
}

/** Descriptors in use; null if none is left to count them. Reads a directory synchronously, so use it at the start only. */
export function countOpenDescriptors(): number | null {
  try {
    return readdirSync('/proc/self/fd').length - 1; // minus the descriptor of the directory itself
  } catch {
    return null;
  }
}

/** Counts the sockets to backends for the whole process, because the system limits them for the process too. */
class BackendSockets {
  #open = 0;
  max = Number.POSITIVE_INFINITY;

  get isFull(): boolean {
    return this.#open >= this.max;
  }
  get open(): number {
    return this.#open;
  }
  /** Counts the socket until it has closed. */
  add(socket: Socket): void {
    this.#open++;
    socket.once('close', () => this.#open--);
  }
}

export const backendSockets = new BackendSockets();
