/**
 * Streams the progress of a drain as lines of JSON (NDJSON): one at once, one every second, and at the end of the process
 * a last one with the result. Lines are made only while somebody watches; a viewer that does not read is disconnected.
 */
import type { ServerResponse } from 'node:http';
import type { DrainView } from '../lifecycle/drain_progress.ts';
import type { DrainResult } from '../lifecycle/shutdown.ts';
import type { Clock, Timer } from '../resilience/clock.ts';

const EVERY_MS = 1_000;
const VIEWERS_MAX = 16;
/** Bytes that may wait for a slow viewer. */
const WAITING_BYTES_MAX = 64 * 1024;

/** The last line. */
export interface DrainEnd {
  readonly phase: 'stopped';
  readonly result: DrainResult;
}

export class DrainStream {
  readonly #view: () => DrainView;
  readonly #clock: Clock;
  readonly #viewers = new Set<ServerResponse>();
  #timer: Timer | null = null;

  constructor(view: () => DrainView, clock: Clock) {
    this.#view = view;
    this.#clock = clock;
  }

  /** False: there are too many viewers. */
  add(viewer: ServerResponse): boolean {
    if (this.#viewers.size >= VIEWERS_MAX) return false;
    viewer.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    viewer.on('close', () => this.#viewers.delete(viewer));
    viewer.on('error', () => this.#viewers.delete(viewer));
    this.#viewers.add(viewer);
    this.#send([viewer]);
    this.#timer ??= this.#clock.setTimer(ring, EVERY_MS, this as DrainStream);
    return true;
  }

  /** Called by the timer. */
  onRing(): void {
    this.#timer = null;
    if (this.#viewers.size === 0) return;
    this.#send(this.#viewers);
    this.#timer = this.#clock.setTimer(ring, EVERY_MS, this as DrainStream);
  }

  close(result: DrainResult): void {
    this.#clock.cancelTimer(this.#timer);
    const end: DrainEnd = { phase: 'stopped', result };
    for (const viewer of this.#viewers) viewer.end(`${JSON.stringify(end)}\n`);
    this.#viewers.clear();
  }

  #send(viewers: Iterable<ServerResponse>): void {
    const line = `${JSON.stringify(this.#view())}\n`;
    for (const viewer of viewers) {
      if (viewer.writableLength > WAITING_BYTES_MAX) viewer.destroy();
      else viewer.write(line);
    }
  }
}

function ring(stream: DrainStream): void {
  stream.onRing();
}
