/**
 * Two sockets become one connection: raw bytes both ways at the pace of the slower side, counted, with an idle
 * limit. Nothing is parsed, so nothing is buffered beyond the sockets' own high-water marks.
 */
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../resilience/clock.ts';

export interface TunnelEnd {
  readonly cause: 'client' | 'backend' | 'idle' | 'shutdown';
  readonly bytesIn: number; // from the client
  readonly bytesOut: number; // to the client
}

export interface TunnelSettings {
  /** No byte either way for this long ends the tunnel; null: never. */
  readonly idleMs: number | null;
}

export class Tunnel {
  readonly #client: Duplex;
  readonly #backend: Duplex;
  readonly #settings: TunnelSettings;
  readonly #clock: Clock;
  readonly #onEnd: (end: TunnelEnd) => void;
  #timer: Timer | null = null;
  #lastByteMs: number;
  #bytesIn = 0;
  #bytesOut = 0;
  #ended = false;

  constructor(
    client: Duplex,
    backend: Duplex,
    settings: TunnelSettings,
    clock: Clock,
    onEnd: (end: TunnelEnd) => void,
  ) {
    this.#client = client;
    this.#backend = backend;
    this.#settings = settings;
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.#lastByteMs = clock.nowMs();
  }

  start(): void {
    this.#relay(this.#client, this.#backend, 'client', bytes => {
      this.#bytesIn += bytes;
    });
    this.#relay(this.#backend, this.#client, 'backend', bytes => {
      this.#bytesOut += bytes;
    });
    if (this.#settings.idleMs !== null) this.#watch(this.#settings.idleMs);
  }

  /** Ends both sides now. */
  end(cause: TunnelEnd['cause']): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clock.cancelTimer(this.#timer);
    this.#client.destroy();
    this.#backend.destroy();
    this.#onEnd({ cause, bytesIn: this.#bytesIn, bytesOut: this.#bytesOut });
  }

  #relay(from: Duplex, to: Duplex, cause: 'client' | 'backend', count: (bytes: number) => void): void {
    from.on('data', (chunk: Buffer) => {
      this.#lastByteMs = this.#clock.nowMs();
      count(chunk.length);
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => to.end()); // half-close: the other direction goes on until it ends too
    from.on('error', () => this.end(cause));
    from.on('close', () => this.end(cause));
    from.resume();
  }

  /** One timer; a byte only moves `lastByteMs`, and a timer that rings too early looks again. */
  #watch(idleMs: number): void {
    const leftMs = this.#lastByteMs + idleMs - this.#clock.nowMs();
    if (leftMs < 1) this.end('idle');
    else this.#timer = this.#clock.setTimer(() => this.#watch(idleMs), leftMs, undefined);
  }
}
