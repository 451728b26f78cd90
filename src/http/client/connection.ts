/** A client connection with what its requests need to know of it, and how it ends when they have ended. */
import type { Socket } from 'node:net';
import type { Connection } from '../../net/connection.ts';
import type { Peer } from '../request.ts';
import type { Responder } from '../responder.ts';
import { crumbCost, isWasteful } from './framing_waste.ts';

/** A kept connection on which nothing moves for so long is closed: a request that was on its way has come by then. */
const QUIET_MS = 250;
/** A client that does not close its side after we have closed ours, and takes nothing more. */
const LINGER_MS = 5_000;

export class ClientConnection implements Peer {
  readonly ip: string;
  readonly tlsVersion: string | null;
  readonly localPort: number;
  readonly #tracked: Connection;
  requests = 0;
  active = 0;
  /** The request that began last, for errors in the middle of its body. */
  latest: Responder | null = null;
  #isClosing = false;
  #bytesAtIdle = 0;
  /** Its last request has ended. */
  onIdle: (() => void) | null = null;
  readonly #socket: Socket;
  readonly #protocol: 'http1' | 'http2';
  #isEnded = false;
  /** Of all its requests. */
  #bodyBytes = 0;
  #bodyBytesAtIdle = 0;
  #requestsAtIdle = 0;
  #sentBytesAtIdle = 0;
  readonly #openedMs: number;
  /** As `drain` has seen it last. */
  #bytes = -1;
  #movedAtMs = 0;

  constructor(tracked: Connection, socket: Socket, protocol: 'http1' | 'http2') {
    this.#protocol = protocol;
    this.#socket = socket;
    this.ip = tracked.ip;
    this.tlsVersion = tracked.tlsVersion;
    this.localPort = socket.localPort ?? 0;
    this.#tracked = tracked;
    this.#openedMs = tracked.openedMs;
  }
  get takenBytes(): number {
    if (this.#protocol === 'http1') return 0;
    return this.#socket.bytesWritten - (this.#socket.bytesRead - this.#bodyBytes);
  }
  noteBodyBytes(bytes: number): void {
    this.#bodyBytes += bytes;
  }
  isWasteful(bufferedBytes: number, nowMs: number): boolean {
    return isWasteful({
      protocol: this.#protocol,
      wireBytes: this.#socket.bytesRead - this.#bytesAtIdle,
      bodyBytes: this.#bodyBytes - this.#bodyBytesAtIdle + bufferedBytes,
      sentBytes: this.#socket.bytesWritten - this.#sentBytesAtIdle,
      requests: this.requests - this.#requestsAtIdle,
      elapsedMs: nowMs - this.#openedMs,
    });
  }
  crumbCost(unreadBytes: number): number {
    if (unreadBytes === 0) return 0;
    const bodyBytes = this.#bodyBytes - this.#bodyBytesAtIdle + unreadBytes;
    return crumbCost(unreadBytes, this.#socket.bytesRead - this.#bytesAtIdle - bodyBytes);
  }
  onRequestBegin(): void {
    this.requests++;
    this.active++;
    this.#tracked.setState('active');
  }
  onRequestEnd(): void {
    this.active--;
    if (this.active > 0) return;
    this.#tracked.setState('idle');
    this.#bytesAtIdle = this.#socket.bytesRead;
    this.#bodyBytesAtIdle = this.#bodyBytes;
    this.#requestsAtIdle = this.requests;
    this.#sentBytesAtIdle = this.#socket.bytesWritten;
    if (this.#isClosing) this.#socket.destroySoon();
    this.onIdle?.();
  }
  destroy(): void {
    this.#socket.destroy();
  }
  /** Nothing more is read from it: it closes when its last request has been answered. */
  closeWhenIdle(): void {
    this.#isClosing = true;
    this.latest?.closeAfterResponse();
  }
  /** Since its last request has ended, so many bytes and no more have come. */
  hasRead(bytes: number): boolean {
    return this.#socket.bytesRead - this.#bytesAtIdle === bytes;
  }
  /** Asked again and again while its listener or the process ends. An HTTP/2 session has sent GOAWAY, and ends by itself. */
  drain(nowMs: number): void {
    const bytes = this.#socket.bytesRead + this.#socket.bytesWritten - this.#socket.writableLength;
    if (bytes !== this.#bytes || this.active > 0) this.#movedAtMs = nowMs;
    this.#bytes = bytes;
    if (this.active > 0) {
      if (this.#protocol === 'http1' && !this.#isClosing) this.closeWhenIdle();
      this.latest?.goAway();
      return;
    }
    const quietMs = nowMs - this.#movedAtMs;
    if (!this.#isEnded && quietMs >= QUIET_MS && this.#protocol === 'http1') this.#end();
    else if (quietMs >= LINGER_MS && this.#socket.writableLength === 0) this.destroy();
  }
  #end(): void {
    this.#isEnded = true;
    this.#socket.destroySoon();
  }
  onTunnel(): void {
    this.#tracked.setState('tunnel');
  }
}
