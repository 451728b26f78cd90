/** A client connection with what its requests need to know of it, and how it ends when they have ended. */
import type { Socket } from 'node:net';
import type { Connection } from '../net/connection.ts';
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
  #isClosing = false;
  #bytesAtIdle = 0;
  /** Its last request has ended. */
  onIdle: (() => void) | null = null;
  readonly #socket: Socket;

  constructor(tracked: Connection, socket: Socket) {
    this.#socket = socket;
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
    if (this.#isClosing) this.#socket.destroySoon();
    this.onIdle?.();
  }
  destroy(): void {
    this.#socket.destroy();
  }
  /** Nothing more is read from it: it closes when its last request has been answered. */
  closeWhenIdle(): void {
    this.#isClosing = true;
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
