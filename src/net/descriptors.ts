/**
 * How many sockets the process may hold: every connection is a file descriptor, and the system limits their number
 * (RLIMIT_NOFILE). Whoever runs out of them cannot even refuse: libuv takes a connection and closes it in silence, and
 * the admin API is as deaf as the rest. So the limit is shared out beforehand:
 *
 *   [ own ][ reserve: admin API, names, files ][ to backends ][ from clients ]
 *
 * Backends get what their pools may need, at most half: a client connection without one to a backend is of no use.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** The admin API, lookups of names, the files of a reload, a log that is opened again, what is accepted to be refused. */
const RESERVE = 16;

export interface DescriptorNeed {
  /** Connections that clients may have at once. */
  readonly clients: number;
  /** Connections to backends at once. */
  readonly backends: number;
}

export interface DescriptorShare {
  readonly clientsMax: number;
  readonly backendsMax: number;
  /** The limit with which both would get what they may need. */
  readonly limitWanted: number;
}

/** `own`: what the process holds without any connection. */
export function shareDescriptors(limit: number, own: number, need: DescriptorNeed): DescriptorShare {
  const free = limit - own - RESERVE;
  const clientsMax = Math.max(1, free - Math.min(need.backends, Math.floor(free / 2)));
  const backendsMax = Math.max(1, free - Math.min(need.clients, clientsMax));
  return { clientsMax, backendsMax, limitWanted: own + RESERVE + need.clients + need.backends };
}

/** The soft limit; Node raises it to the hard one when it starts. Null: not Linux, or no descriptor left to look with. */
export function descriptorLimit(): number | null {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return found === null ? null : Number(found[1]);
  } catch {
    return null;
  }
}

/** Held now; null: none is left to look with. Reads a folder in one turn: for the start, before there are many. */
export function countOpenDescriptors(): number | null {
  try {
    return readdirSync('/proc/self/fd').length - 1; // the folder itself is one
  } catch {
    return null;
  }
}

/** Sockets to backends. They are counted for the process and not for one of its parts, as the system counts them. */
class BackendSockets {
  #open = 0;
  max = Number.POSITIVE_INFINITY;

  get isFull(): boolean {
    return this.#open >= this.max;
  }
  get open(): number {
    return this.#open;
  }
  /** Counts it until it has closed. */
  add(socket: Socket): void {
    this.#open++;
    socket.once('close', () => this.#open--);
  }
}

export const backendSockets = new BackendSockets();
