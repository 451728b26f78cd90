/**
 * Connections to one endpoint: opened, reused, retired. `upstream_http1.ts` (undici) and `upstream_http2.ts`
 * (node:http2) implement `Upstream`; nothing above this folder knows which one it talks to.
 */
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Failure } from '../resilience/failure.ts';
import type { Address } from './address.ts';
import type { ClientTlsSettings } from './tls.ts';

/** How many connections there may be, and how long they live. Null is `off`. */
export interface UpstreamLimits {
  readonly connectionsMax: number;
  /** Less than the keep-alive of the backend, or requests meet closing connections. */
  readonly idleMs: number;
  readonly requestsMax: number | null;
  readonly ageMsMax: number | null;
  /** Name lookup, TCP and TLS together. */
  readonly connectTimeoutMs: number;
}

/** How connections to one endpoint are opened, reused and retired. */
export interface UpstreamSettings extends UpstreamLimits {
  readonly address: Address;
  readonly protocol: 'http1' | 'http2' | 'h2c';
  readonly tls: ClientTlsSettings | null;
}

/** One request as a backend shall see it. */
export interface UpstreamRequest {
  readonly method: string;
  /** Origin form (`/path?query`, bytes as latin1) or `*`. */
  readonly target: string;
  /** For `Host` or `:authority`; empty where an HTTP/1.0 client named none. */
  readonly authority: string;
  /** Flat list name, value, ...; without Host and without hop-by-hop fields. `content-length` may be among them. */
  readonly headers: readonly string[];
  /** Null: no body. A Buffer is a replay. A Readable is consumed at the pace of the backend and may be destroyed. */
  readonly body: Readable | Buffer | null;
  /** Not on a connection that is open already: those may all have been closed by the backend. */
  readonly fresh?: boolean;
}

/** What happens to one request, in this order; exactly one of onEnd and onError ends it, and nothing comes after. */
export interface UpstreamHandler {
  /** A connection is there and nothing was sent yet. `connectMs` is 0 for a reused one. */
  onConnected(reused: boolean, connectMs: number): void;
  /** 1xx other than 101. */
  onInformation(status: number, headers: readonly string[]): void;
  /** Headers are a flat list as they came (latin1, case, order, duplicates); for HTTP/2 without pseudo-headers. `endOfStream`: the
   * head came with the end of the stream (HTTP/2); `onEnd` follows. */
  onHead(status: number, statusText: string, headers: readonly string[], endOfStream: boolean): void;
  /** False asks for no more data until `resume()`. */
  onData(chunk: Buffer): boolean;
  onEnd(trailers: readonly string[] | null): void;
  /** reset_before_head or reset_in_body by what had come; connect_*, dns_failed, tls_failed before onConnected; bad_response. */
  onError(failure: Failure): void;
}

export type SocketCallback = (failure: Failure | null, socket: Socket | null) => void;

/** The right to send one request, given out by `take` and given back by `release`. */
export interface UpstreamSlot {
  send(request: UpstreamRequest, handler: UpstreamHandler): void;
  /** After an `onData` that returned false. */
  resume(): void;
  /** The answer is not wanted any more: closes the stream (HTTP/2) or connection (HTTP/1.1). The handler hears nothing more. */
  abort(): void;
  /** A bare connection in place of the slot's pooled one, for a tunnel; it counts as the slot's until `release`. */
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
  /** `take` would give a slot. */
  readonly hasCapacity: boolean;
  /** A slot, the most recently used first; null when all are in use. Never waits. O(1). */
  take(): UpstreamSlot | null;
  release(slot: UpstreamSlot): void;
  /** Tells when a slot has come free at another time than by `release`; the function it returns ends that. */
  onCapacity(observer: () => void): () => void;
  /**
   * Other limits from here on. Idle connections are closed; those in use count, also against a lower bound, and are not
   * used again where they were opened for other times.
   */
  setLimits(limits: UpstreamLimits): void;
  /** Keeps no connection idle from here on; requests that still belong here are served. */
  retire(): void;
  /** Ends everything now; the handlers hear `onError`. */
  destroy(): void;
}
