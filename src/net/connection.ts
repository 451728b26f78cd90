/**
 * All open client connections with their state, counted for the limits and listed for draining. Accepting takes the
 * same time for any number of connections.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { Clock } from '../resilience/clock.ts';
import { type RecentCount, RecentCounts } from '../resilience/recent_counts.ts';
import type { CertificateNames } from './certificate_names.ts';
import type { ClientCertificate } from './client_certificate.ts';
import { FloodPenalties } from './flood_penalties.ts';

/** `new`: no request yet; `active`: a request is in flight; `idle`: between two requests; `tunnel`: a WebSocket. */
type ConnectionState = 'new' | 'active' | 'idle' | 'tunnel';
export const REFUSAL_CAUSES = [
  'process',
  'descriptors',
  'listener',
  'clientIp',
  'flooded',
  'handshakes',
] as const;
/** Why a connection was ended because of what its client sent. */
export const CUT_CAUSES = ['pipelining', 'flood', 'protocol'] as const;
export type CutCause = (typeof CUT_CAUSES)[number];
export type RefusalCause = (typeof REFUSAL_CAUSES)[number];

export const PROXY_PROTOCOL_REFUSALS = [
  'stranger',
  'not_proxy',
  'malformed',
  'too_long',
  'timeout',
  'left',
  'pending',
] as const;
/**
 * Why a PROXY protocol header was not believed: the peer may not write one; it says something else; the header breaks the rules, or is
 * longer than any honest one; none came in time; the peer left in the middle of it; too many are still to come.
 */
export type ProxyProtocolRefusal = (typeof PROXY_PROTOCOL_REFUSALS)[number];

interface ConnectionLimits {
  readonly processMax: number;
  readonly listenerMax: number | null;
  readonly perIpMax: number | null;
  /** How long a client that floods gets no new connections; null: it is not refused. */
  readonly floodPenaltyMs: number | null;
}

/** Connections refused in the last minute. */
export interface RecentRefusals {
  readonly listener: string;
  readonly cause: RecentCause;
  readonly count: number;
}
/** Also of what the PROXY protocol has refused, whose causes have an event of their own. */
export type RecentCause = RefusalCause | 'proxyProtocol';

/** Who a connection belongs to, as a PROXY protocol header says. */
interface IdentifiedClient {
  readonly ip: string;
  readonly ipKey: string;
  /** The port that the client came to. */
  readonly port: number;
}

/** The result of a TLS handshake. */
export interface TlsFacts {
  /** As Node calls it: `TLSv1.3`. */
  readonly version: string;
  /** The names of the certificate that the client asked for; null: it named no server that has a certificate of its own. */
  readonly presented: CertificateNames | null;
  /** Null: the client has shown none, or one that is not valid. */
  readonly client: ClientCertificate | null;
  /** Why the certificate of the client is not valid, as OpenSSL's code; null: it is valid, or there is none. */
  readonly clientProblem: string | null;
}

export interface Connection {
  readonly listener: string;
  /** The address of the client: of the socket, or of the PROXY protocol header on it. */
  readonly ip: string;
  /** The address of the socket, also where it speaks for a client behind it. */
  readonly peerIp: string;
  /** The port that the client connected to, where a PROXY protocol header names it. */
  readonly proxiedPort: number | null;
  readonly openedAtMs: number;
  /** Null: the connection is not encrypted. */
  tls: TlsFacts | null;
  readonly state: ConnectionState;
  setState(state: ConnectionState): void;
  /** It is being cut because of what its client sent. */
  noteCut(): void;
}

export class ConnectionTable {
  readonly #clock: Clock;
  readonly #open = new Set<TrackedConnection>();
  readonly #byListener = new Map<string, number>();
  readonly #byIp = new Map<string, number>();
  readonly #penalties = new FloodPenalties();
  readonly #refusals = new RecentCounts<RecentCause>();
  readonly #handshakes = new RecentCounts<'done'>();
  /** Connections that the descriptors of the process allow (`descriptors.ts`). */
  descriptorsMax = Number.POSITIVE_INFINITY;
  /** Called when the last connection has closed. */
  onEmpty: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Counts the connection until its socket closes, or returns the limit that it would exceed. `ipKey` groups the
   * addresses of one client.
   */
  admit(
    socket: Socket,
    listener: string,
    ip: string,
    ipKey: string,
    limits: ConnectionLimits,
  ): Connection | RefusalCause {
    const admitted = this.#admit(socket, listener, ip, ipKey, limits);
    if (typeof admitted === 'string') this.noteRefusal(listener, admitted);
    return admitted;
  }

  /**
   * A PROXY protocol header has named the client of the connection: from now on it is counted for that client. Returns the
   * limit that this would exceed; the connection is then still counted as before, until it closes.
   */
  identify(
    connection: Connection,
    client: IdentifiedClient,
    { perIpMax, floodPenaltyMs }: Pick<ConnectionLimits, 'perIpMax' | 'floodPenaltyMs'>,
  ): RefusalCause | null {
    assert(connection instanceof TrackedConnection, 'a connection is made by its table');
    const { listener } = connection;
    const perIpKey = `${listener} ${client.ipKey}`;
    const fromIp = this.#byIp.get(perIpKey) ?? 0;
    const refused = this.#refusalOf(perIpKey, fromIp, { perIpMax, floodPenaltyMs });
    if (refused !== null) {
      this.noteRefusal(listener, refused);
      return refused;
    }
    decrement(this.#byIp, connection.perIpKey);
    this.#byIp.set(perIpKey, (this.#byIp.get(perIpKey) ?? 0) + 1);
    connection.perIpKey = perIpKey;
    connection.floodPenaltyMs = floodPenaltyMs;
    connection.ip = client.ip;
    connection.proxiedPort = client.port;
    return null;
  }

  /** Recently refused connections, for the status page. */
  recentRefusals(): RecentRefusals[] {
    const nowMs = this.#clock.nowMs();
    return this.#refusals.list(nowMs).map(({ about, cause, count }) => ({ listener: about, cause, count }));
  }

  /** TLS handshakes of the last minute that have succeeded, by listener. */
  recentHandshakes(): RecentCount[] {
    return this.#handshakes.list(this.#clock.nowMs());
  }
  noteHandshake(listener: string): void {
    this.#handshakes.add(listener, 'done', this.#clock.nowMs());
  }

  /** Also for a connection that is refused after it was counted: it closes. */
  noteRefusal(listener: string, cause: RecentCause): void {
    this.#refusals.add(listener, cause, this.#clock.nowMs());
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
    const refused = this.#refusalOf(perIpKey, fromIp, limits);
    if (refused !== null) return refused;
    const connection = new TrackedConnection(socket, listener, ip, perIpKey, this.#clock, cut =>
      this.#onCut(cut),
    );
    connection.floodPenaltyMs = limits.floodPenaltyMs;
    this.#open.add(connection);
    this.#byListener.set(listener, onListener + 1);
    this.#byIp.set(perIpKey, fromIp + 1);
    socket.once('close', () => {
      this.#open.delete(connection);
      if (this.#open.size === 0) this.onEmpty?.();
      decrement(this.#byListener, listener);
      decrement(this.#byIp, connection.perIpKey);
    });
    return connection;
  }

  /** A client that is refused from now on loses its connections as well, except those that have served it. */
  #onCut({ perIpKey, floodPenaltyMs }: TrackedConnection): void {
    if (floodPenaltyMs === null || !this.#penalties.note(perIpKey, floodPenaltyMs, this.#clock.nowMs()))
      return;
    for (const connection of this.#open)
      if (connection.perIpKey === perIpKey && !connection.hasServed) connection.close();
  }

  /** What the client alone has brought about. */
  #refusalOf(
    perIpKey: string,
    fromIp: number,
    { perIpMax, floodPenaltyMs }: Pick<ConnectionLimits, 'perIpMax' | 'floodPenaltyMs'>,
  ): RefusalCause | null {
    const isRefused =
      floodPenaltyMs !== null && this.#penalties.isRefused(perIpKey, floodPenaltyMs, this.#clock.nowMs());
    if (isRefused) return 'flooded';
    return perIpMax !== null && fromIp >= perIpMax ? 'clientIp' : null;
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
    return [...this.#open].map(({ listener, ip, state, openedAtMs, stateChangedAtMs }) => ({
      listener,
      ip,
      state,
      stateAgeMs: nowMs - stateChangedAtMs,
      ageMs: nowMs - openedAtMs,
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

  /** Closes connections that have sent no request for this long: in a handshake, or before their first request. */
  closeNew(ageMs: number): void {
    const nowMs = this.#clock.nowMs();
    for (const connection of this.#open)
      if (connection.state === 'new' && nowMs - connection.openedAtMs >= ageMs) connection.close();
  }

  closeAll(): void {
    for (const connection of this.#open) connection.close();
  }
}

class TrackedConnection implements Connection {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #onCut: (connection: TrackedConnection) => void;
  floodPenaltyMs: number | null = null;
  /** A request on it has come to its end. */
  hasServed = false;
  readonly listener: string;
  ip: string;
  readonly peerIp: string;
  proxiedPort: number | null = null;
  /** Key under which the connection is counted. */
  perIpKey: string;
  readonly openedAtMs: number;
  tls: TlsFacts | null = null;
  state: ConnectionState = 'new';
  stateChangedAtMs: number;

  constructor(
    socket: Socket,
    listener: string,
    ip: string,
    perIpKey: string,
    clock: Clock,
    onCut: (connection: TrackedConnection) => void,
  ) {
    this.#socket = socket;
    this.#clock = clock;
    this.#onCut = onCut;
    this.listener = listener;
    this.ip = ip;
    this.peerIp = ip;
    this.perIpKey = perIpKey;
    this.openedAtMs = clock.nowMs();
    this.stateChangedAtMs = this.openedAtMs;
  }

  setState(state: ConnectionState): void {
    this.hasServed ||= state === 'idle' || state === 'tunnel';
    this.state = state;
    this.stateChangedAtMs = this.#clock.nowMs();
  }
  noteCut(): void {
    this.#onCut(this);
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
