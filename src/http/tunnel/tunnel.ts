/**
 * Joins two sockets: raw bytes both ways at the pace of the slower side, counted, with an idle limit. Nothing is parsed
 * except where the frames for the client end, so nothing is buffered beyond the high-water marks of the sockets.
 *
 * When the process drains, the client gets a close frame 1001 between two frames, and no more bytes of the backend. The
 * client's own close frame goes to the backend like any other bytes, and closes that side.
 */
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../resilience/clock.ts';
import { FrameBoundary, GOING_AWAY } from './websocket_frames.ts';

export interface TunnelEnd {
  readonly cause: 'client' | 'backend' | 'idle' | 'shutdown';
  readonly bytesIn: number; // from the client
  readonly bytesOut: number; // to the client
}

interface TunnelSettings {
  /** Without a byte in either direction for this long the tunnel ends; null: no limit. */
  readonly idleMs: number | null;
}

/** How long the other side may read what is left after one side has gone: at most the buffers of two sockets. */
const TAIL_MS_MAX = 30_000;
const NOTHING = Buffer.alloc(0);

export class Tunnel {
  readonly #client: Duplex;
  readonly #backend: Duplex;
  readonly #settings: TunnelSettings;
  readonly #clock: Clock;
  readonly #onEnd: (end: TunnelEnd) => void;
  /** One side has stopped taking bytes of the other, or takes them again. */
  readonly #onHeld: () => void;
  readonly #toClient = new FrameBoundary();
  #leaving: 'no' | 'at_boundary' | 'said' = 'no';
  #timer: Timer | null = null;
  #tail: Timer | null = null;
  #lastByteAtMs: number;
  #bytesIn = 0;
  #bytesOut = 0;
  #ended = false;

  constructor(
    client: Duplex,
    backend: Duplex,
    settings: TunnelSettings,
    clock: Clock,
    onEnd: (end: TunnelEnd) => void,
    onHeld: () => void,
  ) {
    this.#onHeld = onHeld;
    this.#client = client;
    this.#backend = backend;
    this.#settings = settings;
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.#lastByteAtMs = clock.nowMs();
  }

  start(): void {
    this.#relay(this.#client, this.#backend, 'client', chunk => {
      this.#bytesIn += chunk.length;
      return chunk;
    });
    this.#relay(this.#backend, this.#client, 'backend', chunk => this.#forClient(chunk));
    if (this.#settings.idleMs !== null) this.#watch(this.#settings.idleMs);
  }

  /** Asks the client to close, as soon as no frame is half sent. */
  goAway(): void {
    if (this.#ended || this.#leaving !== 'no') return;
    this.#leaving = 'at_boundary';
    if (this.#toClient.isHere) this.#sayGoodbye();
  }

  /** Bytes in memory of both directions. */
  get heldBytes(): number {
    return heldBy(this.#client) + heldBy(this.#backend);
  }

  /** Ends both sides now. */
  end(cause: TunnelEnd['cause']): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clock.cancelTimer(this.#timer);
    this.#clock.cancelTimer(this.#tail);
    this.#client.destroy();
    this.#backend.destroy();
    this.#onEnd({ cause, bytesIn: this.#bytesIn, bytesOut: this.#bytesOut });
  }

  #forClient(chunk: Buffer): Buffer {
    if (this.#leaving === 'said') return NOTHING;
    const taken = this.#toClient.take(chunk, this.#leaving === 'at_boundary');
    this.#bytesOut += taken;
    if (this.#leaving === 'no' || !this.#toClient.isHere) return chunk.subarray(0, taken);
    this.#client.write(chunk.subarray(0, taken));
    this.#sayGoodbye();
    return NOTHING;
  }

  #sayGoodbye(): void {
    this.#leaving = 'said';
    this.#client.write(GOING_AWAY);
  }

  /** `pass` returns the part of a chunk that is passed on. */
  #relay(from: Duplex, to: Duplex, cause: 'client' | 'backend', pass: (chunk: Buffer) => Buffer): void {
    from.on('data', (chunk: Buffer) => {
      this.#lastByteAtMs = this.#clock.nowMs();
      const passed = pass(chunk);
      if (passed.length === 0 || to.write(passed)) return;
      from.pause();
      this.#onHeld();
    });
    to.on('drain', () => {
      from.resume();
      this.#onHeld();
    });
    from.on('end', () => to.end()); // half-close: the other direction continues until it ends too
    from.on('error', () => this.end(cause));
    from.on('close', () => this.#onClosed(to, cause));
    from.resume();
  }

  /** After the backend has gone, the client may still have to read the last bytes. */
  #onClosed(to: Duplex, cause: 'client' | 'backend'): void {
    if (cause === 'client' || this.#ended || to.destroyed || to.writableLength === 0) {
      this.end(cause);
      return;
    }
    to.end(); // its own end follows when it has read everything
    this.#tail = this.#clock.setTimer(endTunnel, TAIL_MS_MAX, () => this.end(cause));
  }

  /** One timer: a byte only moves `lastByteAtMs`, and a timer that fires too early is set again. */
  #watch(idleMs: number): void {
    const leftMs = this.#lastByteAtMs + idleMs - this.#clock.nowMs();
    if (leftMs < 1) this.end('idle');
    else this.#timer = this.#clock.setTimer(() => this.#watch(idleMs), leftMs, undefined);
  }
}

function heldBy(socket: Duplex): number {
  return socket.writableLength + socket.readableLength;
}

function endTunnel(end: () => void): void {
  end();
}
