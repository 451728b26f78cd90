/**
 * Connections to one endpoint: opened, reused, retired. `upstream/http1_upstream.ts` (undici) and
 * `upstream/http2_upstream.ts` (node:http2) implement `Upstream`; nothing outside this folder knows which one it
 * uses.
 */
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Failure } from '../resilience/failure.ts';
import type { Address } from './address.ts';
import type { ClientTlsSettings } from './tls.ts';

/** Limits for the number and the lifetime of connections. Null means `off`. */
export interface UpstreamLimits {
  readonly connectionsMax: number;
  /** Must be less than the keep-alive time of the backend, or requests meet closing connections. */
  readonly idleMs: number;
  readonly requestsMax: number | null;
  readonly ageMsMax: number | null;
  /** Limit for name lookup, TCP and TLS together. */
  readonly connectTimeoutMs: number;
}

/** How connections to one endpoint are opened, reused and retired. */
export interface UpstreamSettings extends UpstreamLimits {
  readonly address: Address;
  readonly protocol: 'http1' | 'http2' | 'h2c';
  readonly tls: ClientTlsSettings | null;
}

/** One request as it is sent to a backend. */
export interface UpstreamRequest {
  readonly method: string;
  /** Origin form (`/path?query`, bytes as Latin-1) or `*`. */
  readonly target: string;
  /** For `Host` or `:authority`; empty if an HTTP/1.0 client sent none. */
  readonly authority: string;
  /** Flat list (name, value, …) without Host and hop-by-hop fields. It may contain `content-length`. */
  readonly headers: readonly string[];
  /** Null: no body. A Buffer is a replay. A Readable is consumed at the pace of the backend and may be destroyed. */
  readonly body: Readable | Buffer | null;
  /** Use a new connection, because the backend may have closed all that are open. */
  readonly fresh?: boolean;
}

/** Callbacks of one request, in this order. Exactly one of onEnd and onError is called, and nothing after it. */
export interface UpstreamHandler {
  /** The request has a connection and nothing was sent yet. `connectMs` is 0 for a reused connection. */
  onConnected(reused: boolean, connectMs: number): void;
  /** An interim response (1xx except 101). */
  onInformation(status: number, headers: readonly string[]): void;
  /**
   * `headers` is a flat list as received (Latin-1, with case, order, duplicates; without pseudo-header fields).
   * `endOfStream`: the stream ended with the head (HTTP/2); `onEnd` follows.
   */
  onHead(status: number, statusText: string, headers: readonly string[], endOfStream: boolean): void;
  /** Returns false to get no more data until `resume()`. */
  onData(chunk: Buffer): boolean;
  onEnd(trailers: readonly string[] | null): void;
  /** Before onConnected: connect_*, dns_failed, tls_failed. After it: reset_before_head, reset_in_body, or bad_response. */
  onError(failure: Failure): void;
}

export type SocketCallback = (failure: Failure | null, socket: Socket | null) => void;

/** The right to send one request. Taken with `take`, given back with `release`. */
export interface UpstreamSlot {
  send(request: UpstreamRequest, handler: UpstreamHandler): void;
  /** Continues after an `onData` that returned false. */
  resume(): void;
  /** The response is not wanted any more: closes the stream (HTTP/2) or the connection (HTTP/1.1). No callback follows. */
  abort(): void;
  /** Opens a bare connection instead of the slot's pooled one, for a tunnel. It belongs to the slot until `release`. */
  openSocket(callback: SocketCallback): void;
}

export interface UpstreamCounts {
  /** Sockets that are open or being opened. */
  readonly open: number;
  /** Slots that are taken and not yet released. */
  readonly inUse: number;
}

export interface Upstream {
  readonly counts: UpstreamCounts;
  /** Whether `take` would return a slot. */
  readonly hasCapacity: boolean;
  /** Takes a slot, most recently used first; null if all are in use. Never waits. O(1). */
  take(): UpstreamSlot | null;
  release(slot: UpstreamSlot): void;
  /** Observes slots that become free without a `release`. The returned function ends it. */
  onCapacity(observer: () => void): () => void;
  /**
   * Changes the limits. Idle connections are closed. Connections in use count against a lower limit too, and are not
   * used again if their lifetime has changed.
   */
  setLimits(limits: UpstreamLimits): void;
  /** Keeps no connection idle from now on. Requests in flight and those of older plans are still served. */
  retire(): void;
  /** Ends everything now; the handlers get `onError`. */
  destroy(): void;
}
