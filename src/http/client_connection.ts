/** A client connection with what its requests need to know of it, and how it ends when they have ended. */
import type { Socket } from 'node:net';
import type { Connection } from '../net/connection.ts';
import type { Clock } from '../resilience/clock.ts';
import type { Peer, RequestContext } from './request.ts';

export class ClientConnection implements Peer {
  readonly ip: string;
  readonly tlsVersion: string | null;
  readonly localPort: number;
  readonly #tracked: Connection;
  requests = 0;
  active = 0;
  /** The request that began last, for errors in the middle of its body. */
  latest: RequestContext | null = null;
  #closing: Socket | null = null;
  #bytesAtIdle = 0;
  onIdle: (() => void) | null = null;
  /** When its last request has ended, or when it began. */
  idleSinceMs: number;
  readonly #socket: Socket;
  readonly #clock: Clock;

  constructor(tracked: Connection, socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.idleSinceMs = clock.nowMs();
    this.ip = tracked.ip;
    this.tlsVersion = tracked.tlsVersion;
    this.localPort = socket.localPort ?? 0;
    this.#tracked = tracked;
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
    this.idleSinceMs = this.#clock.nowMs();
    this.#closing?.destroySoon();
    this.onIdle?.();
  }
  destroy(): void {
    this.#socket.destroy();
  }
  /** Nothing more is read from it: it closes when its last request has been answered. */
  closeWhenIdle(socket: Socket): void {
    this.#closing = socket;
    this.latest?.client.closeAfterAnswer();
  }
  /** Since its last request has ended, so many bytes and no more have come. */
  hasRead(bytes: number): boolean {
    return this.#socket.bytesRead - this.#bytesAtIdle === bytes;
  }
  onTunnel(): void {
    this.#tracked.setState('tunnel');
  }
}
