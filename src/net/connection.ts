/**
 * Every open client connection with its state, counted for limits and listed for draining. Accepting costs the
 * same whatever the number of connections.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../resilience/clock.ts';
import { SlidingCount } from '../resilience/sliding_count.ts';

/** new: nothing asked yet; active: a request is under way; idle: between two requests; tunnel: a WebSocket. */
type ConnectionState = 'new' | 'active' | 'idle' | 'tunnel';
export const REFUSAL_CAUSES = ['process', 'descriptors', 'listener', 'clientIp'] as const;
/** Why a connection was ended for what its client did on it. */
export const CUT_CAUSES = ['pipelining', 'flood', 'protocol'] as const;
export type CutCause = (typeof CUT_CAUSES)[number];
export type RefusalCause = (typeof REFUSAL_CAUSES)[number];

interface ConnectionLimits {
  readonly processMax: number;
  readonly listenerMax: number | null;
  readonly perIpMax: number | null;
}

/** What was refused in the last minute. */
export interface RecentRefusals {
  readonly listener: string;
  readonly cause: RefusalCause;
  readonly count: number;
}

const RECENT_BUCKET_MS = 10_000;
const RECENT_BUCKETS = 6;

export interface Connection {
  readonly listener: string;
  readonly ip: string;
  readonly openedMs: number;
  tlsVersion: string | null;
  readonly state: ConnectionState;
  setState(state: ConnectionState): void;
}

export class ConnectionTable {
  readonly #clock: Clock;
  readonly #open = new Set<TrackedConnection>();
  readonly #byListener = new Map<string, number>();
  readonly #byIp = new Map<string, number>();
  /** Recent refusals by listener and cause. */
  readonly #refusals = new Map<string, Omit<RecentRefusals, 'count'> & { readonly recent: SlidingCount }>();
  /** How many the descriptors of the process allow (`descriptors.ts`). */
  descriptorsMax = Number.POSITIVE_INFINITY;
  /** The last one has closed. */
  onEmpty: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Counts the connection until its socket closes, or says which limit it would exceed. `ipKey` groups addresses of one client. */
  admit(
    socket: Socket,
    listener: string,
    ip: string,
    ipKey: string,
    limits: ConnectionLimits,
  ): Connection | RefusalCause {
    const admitted = this.#admit(socket, listener, ip, ipKey, limits);
    if (typeof admitted === 'string') this.#noteRefusal(listener, admitted);
    return admitted;
  }

  /** Connections refused lately, for the status page. */
  recentRefusals(): RecentRefusals[] {
    const nowMs = this.#clock.nowMs();
    return [...this.#refusals.values()]
      .map(({ listener, cause, recent }) => ({ listener, cause, count: recent.total(nowMs) }))
      .filter(({ count }) => count > 0);
  }

  #noteRefusal(listener: string, cause: RefusalCause): void {
    const key = `${cause} ${listener}`;
    let known = this.#refusals.get(key);
    if (known === undefined) {
      for (const [old, { recent }] of this.#refusals)
        if (recent.total(this.#clock.nowMs()) === 0) this.#refusals.delete(old); // perhaps of a listener that is gone
      known = { listener, cause, recent: new SlidingCount(RECENT_BUCKET_MS, RECENT_BUCKETS) };
      this.#refusals.set(key, known);
    }
    known.recent.add(this.#clock.nowMs());
  }

  #admit(
    socket: Socket,
    listener: string,
    ip: string,
    ipKey: string,
    limits: ConnectionLimits,
  ): Connection | RefusalCause {
    const onListener = this.#byListener.get(listener) ?? 0;
    const perIpKey = `${listener} ${ipKey}`;
    const fromIp = this.#byIp.get(perIpKey) ?? 0;
    if (this.#open.size >= limits.processMax) return 'process';
    if (this.#open.size >= this.descriptorsMax) return 'descriptors';
    if (limits.listenerMax !== null && onListener >= limits.listenerMax) return 'listener';
    if (limits.perIpMax !== null && fromIp >= limits.perIpMax) return 'clientIp';
    const connection = new TrackedConnection(socket, listener, ip, this.#clock);
    this.#open.add(connection);
    this.#byListener.set(listener, onListener + 1);
    this.#byIp.set(perIpKey, fromIp + 1);
    socket.once('close', () => {
      this.#open.delete(connection);
      if (this.#open.size === 0) this.onEmpty?.();
      decrement(this.#byListener, listener);
      decrement(this.#byIp, perIpKey);
    });
    return connection;
  }

  /** Open connections, for status and metrics. */
  list(): {
    readonly listener: string;
    readonly ip: string;
    readonly state: ConnectionState;
    readonly stateAgeMs: number;
    readonly ageMs: number;
  }[] {
    const nowMs = this.#clock.nowMs();
    return [...this.#open].map(({ listener, ip, state, openedMs, stateSinceMs }) => ({
      listener,
      ip,
      state,
      stateAgeMs: nowMs - stateSinceMs,
      ageMs: nowMs - openedMs,
    }));
  }

  countByState(): ReadonlyMap<string, Readonly<Record<ConnectionState, number>>> {
    const counts = new Map<string, Record<ConnectionState, number>>();
    for (const { listener, state } of this.#open) {
      const row = counts.get(listener) ?? { new: 0, active: 0, idle: 0, tunnel: 0 };
      row[state]++;
      counts.set(listener, row);
    }
    return counts;
  }

  /** Closes those that have said nothing for so long: in a handshake, or before their first request. */
  closeNew(ageMs: number): void {
    const nowMs = this.#clock.nowMs();
    for (const connection of this.#open)
      if (connection.state === 'new' && nowMs - connection.openedMs >= ageMs) connection.close();
  }

  closeAll(): void {
    for (const connection of this.#open) connection.close();
  }
}

class TrackedConnection implements Connection {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly listener: string;
  readonly ip: string;
  readonly openedMs: number;
  tlsVersion: string | null = null;
  state: ConnectionState = 'new';
  stateSinceMs: number;

  constructor(socket: Socket, listener: string, ip: string, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.listener = listener;
    this.ip = ip;
    this.openedMs = clock.nowMs();
    this.stateSinceMs = this.openedMs;
  }

  setState(state: ConnectionState): void {
    this.state = state;
    this.stateSinceMs = this.#clock.nowMs();
  }
  close(): void {
    this.#socket.destroy();
  }
}

function decrement(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 0) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}
