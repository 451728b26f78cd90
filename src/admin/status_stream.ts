/**
 * Sends the status page to all viewers once a second (server-sent events, WHATWG HTML section 9.2). It is rendered
 * once for all of them, and only while there are viewers; a viewer who does not read is disconnected.
 */
import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../resilience/clock.ts';

const EVERY_MS = 1_000;
const VIEWERS_MAX = 16;
/** Bytes that may wait for a slow viewer. */
const WAITING_BYTES_MAX = 1024 * 1024;

export class StatusStream {
  readonly #render: () => string;
  readonly #clock: Clock;
  readonly #viewers = new Set<ServerResponse>();
  #timer: Timer | null = null;

  constructor(render: () => string, clock: Clock) {
    this.#render = render;
    this.#clock = clock;
  }

  /** Returns false if there are too many viewers. */
  add(viewer: ServerResponse): boolean {
    if (this.#viewers.size >= VIEWERS_MAX) return false;
    viewer.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    viewer.on('close', () => this.#viewers.delete(viewer));
    viewer.on('error', () => this.#viewers.delete(viewer));
    this.#viewers.add(viewer);
    this.#send([viewer]);
    this.#timer ??= this.#clock.setTimer(ring, EVERY_MS, this as StatusStream);
    return true;
  }

  /** Sends the page to every viewer; called by the timer. */
  onRing(): void {
    this.#timer = null;
    if (this.#viewers.size === 0) return;
    this.#send(this.#viewers);
    this.#timer = this.#clock.setTimer(ring, EVERY_MS, this as StatusStream);
  }

  close(): void {
    this.#clock.cancelTimer(this.#timer);
    for (const viewer of this.#viewers) viewer.end();
    this.#viewers.clear();
  }

  #send(viewers: Iterable<ServerResponse>): void {
    const event = `data: ${JSON.stringify(this.#render())}\n\n`;
    for (const viewer of viewers) {
      if (viewer.writableLength > WAITING_BYTES_MAX) viewer.destroy();
      else viewer.write(event);
    }
  }
}

function ring(stream: StatusStream): void {
  stream.onRing();
}
