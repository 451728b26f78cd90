/** A client connection, as far as its requests need it, and how it is closed after the last of them. */
import type { Socket } from 'node:net';
import type { Connection } from '../../net/connection.ts';
import type { Peer } from '../request.ts';
import type { Responder } from '../responder.ts';
import { crumbCost, isWasteful } from './framing_waste.ts';

/**
 * A keep-alive connection without traffic for this long is closed. A request that was already on its way has arrived
 * by then.
 */
const QUIET_MS = 250;
/** How long a client may take to close its side after we have closed ours, while it reads nothing more. */
const LINGER_MS = 5_000;

export class ClientConnection implements Peer {
  readonly ip: string;
  readonly socketIp: string;
  readonly tls: Connection['tls'];
  readonly localPort: number;
  readonly #tracked: Connection;
  requests = 0;
  active = 0;
  /** The request that began last, for errors in the middle of its body. */
  latest: Responder | null = null;
  #isClosing = false;
  #bytesAtIdle = 0;
  /** Called when its last request has ended. */
  onIdle: (() => void) | null = null;
  /** Of HTTP/2: more of its streams than it is allowed were malformed. */
  onTooManyMalformed: (() => void) | null = null;
  malformedMax = Number.POSITIVE_INFINITY;
  #malformed = 0;
  readonly #socket: Socket;
  readonly #protocol: 'http1' | 'http2';
  #isEnded = false;
  /** Bytes of the bodies of all its requests. */
  #bodyBytes = 0;
  #bodyBytesAtIdle = 0;
  #requestsAtIdle = 0;
  #sentBytesAtIdle = 0;
  readonly #openedAtMs: number;
  /** What `drain` has seen last. */
  #bytes = -1;
  #movedAtMs = 0;

  constructor(tracked: Connection, socket: Socket, protocol: 'http1' | 'http2') {
    this.#protocol = protocol;
    this.#socket = socket;
    this.ip = tracked.ip;
    this.socketIp = tracked.peerIp;
    this.tls = tracked.tls;
    this.localPort = tracked.proxiedPort ?? socket.localPort ?? 0;
    this.#tracked = tracked;
    this.#openedAtMs = tracked.openedAtMs;
  }
  get takenBytes(): number {
    if (this.#protocol === 'http1') return 0;
    return this.#socket.bytesWritten - (this.#socket.bytesRead - this.#bodyBytes);
  }
  get receivedBytes(): number {
    return this.#socket.bytesRead;
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
      elapsedMs: nowMs - this.#openedAtMs,
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
  noteCut(): void {
    this.#tracked.noteCut();
  }
  destroy(): void {
    this.#socket.destroy();
  }
  /** One of its streams began a request and was then reset, because the client broke its framing. */
  onMalformedStream(): void {
    this.#malformed++;
    if (this.#malformed === this.malformedMax + 1) this.onTooManyMalformed?.();
  }
  /** Nothing more is read from the connection; it closes after the last response. */
  closeWhenIdle(): void {
    this.#isClosing = true;
    this.latest?.closeAfterResponse();
  }
  /**
   * Later requests on this connection get no response (RFC 9112 section 9.6). After a refused request nobody knows where the
   * next one begins: it could be the body of the refused one.
   */
  get isSpent(): boolean {
    return this.#isClosing || this.latest?.isLast === true;
  }
  /** Whether exactly this many bytes have arrived since its last request ended. */
  hasRead(bytes: number): boolean {
    return this.#socket.bytesRead - this.#bytesAtIdle === bytes;
  }
  /** Called repeatedly while its listener or the process ends. An HTTP/2 session has sent GOAWAY and closes by itself. */
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
