/**
 * Keeps open status pages up to date (server-sent events, WHATWG HTML section 9.2): once a second each viewer is sent what
 * has changed since the moment that its page shows.
 *
 * The page is rendered once for all viewers, and only while there are any. A viewer who has not read the last update gets no
 * other until it has, and then the difference to what it knows: so at most one update waits for each, however slow it is. One
 * that reads nothing for half a minute is disconnected.
 */
import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../resilience/clock.ts';
import type { Part } from './html.ts';
import { changesBetween, wholeOf } from './page_delta.ts';

/** The status page at one moment. */
export interface RenderedPage {
  readonly parts: readonly Part[];
  /** The process that it is of. */
  readonly instance: string;
  document(nonce: string, frame: string): string;
}

/** The page at one moment. Its id is unique among all processes: browsers name it when they connect again. */
interface Frame {
  readonly id: string;
  readonly parts: readonly Part[];
}

interface Viewer {
  readonly response: ServerResponse;
  /** What it has been sent; null: nothing is known of its page. */
  frame: Frame | null;
  /** Updates in a row that it was not ready for. */
  missed: number;
}

const EVERY_MS = 1_000;
/** Within this time a page that was opened asks for its updates, or it gets all of itself again. */
const CONNECT_MS = 5_000;
const VIEWERS_MAX = 16;
const MISSED_MAX = 30;
/** Moments that a viewer who connects (again) can continue from. */
const FRAMES_MAX = 4;

export class StatusStream {
  readonly #render: () => RenderedPage;
  readonly #clock: Clock;
  readonly #viewers = new Map<ServerResponse, Viewer>();
  #frames: readonly Frame[] = [];
  #rendered = 0;
  #timer: Timer | null = null;

  constructor(render: () => RenderedPage, clock: Clock) {
    this.#render = render;
    this.#clock = clock;
  }

  /** The document for somebody who opens the page. */
  open(nonce: string): string {
    const page = this.#render();
    const { id } = this.#keep(page);
    if (this.#viewers.size === 0) this.#wait(CONNECT_MS);
    return page.document(nonce, id);
  }

  /** `frameId`: what the viewer has. Returns false if there are too many viewers. */
  add(response: ServerResponse, frameId: string | null): boolean {
    if (this.#viewers.size >= VIEWERS_MAX) return false;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.on('close', () => this.#viewers.delete(response));
    response.on('error', () => this.#viewers.delete(response));
    const isFirst = this.#viewers.size === 0;
    const frame = this.#frames.find(({ id }) => id === frameId) ?? null;
    const viewer: Viewer = { response, frame, missed: 0 };
    this.#viewers.set(response, viewer);
    this.#update([viewer], this.#keep(this.#render()));
    if (isFirst) this.#wait(EVERY_MS);
    return true;
  }

  /** Sends every viewer what has changed; called by the timer. */
  onRing(): void {
    this.#timer = null;
    if (this.#viewers.size === 0) {
      this.#frames = [];
      return;
    }
    this.#update(this.#viewers.values(), this.#keep(this.#render()));
    this.#wait(EVERY_MS);
  }

  close(): void {
    this.#clock.cancelTimer(this.#timer);
    for (const response of this.#viewers.keys()) response.end();
    this.#viewers.clear();
  }

  #wait(forMs: number): void {
    this.#clock.cancelTimer(this.#timer);
    this.#timer = this.#clock.setTimer(ring, forMs, this as StatusStream);
  }

  #keep({ parts, instance }: RenderedPage): Frame {
    const frame = { id: `${instance}-${++this.#rendered}`, parts };
    this.#frames = [...this.#frames, frame].slice(-FRAMES_MAX);
    return frame;
  }

  #update(viewers: Iterable<Viewer>, frame: Frame): void {
    const events = new Map<Frame | null, string>(); // most viewers know the same
    for (const viewer of viewers) {
      if (viewer.response.writableLength > 0) {
        if (++viewer.missed > MISSED_MAX) viewer.response.destroy();
        continue;
      }
      const known = viewer.frame;
      const event = events.get(known) ?? eventOf(known, frame);
      events.set(known, event);
      viewer.response.write(event);
      viewer.frame = frame;
      viewer.missed = 0;
    }
  }
}

function eventOf(known: Frame | null, { id, parts }: Frame): string {
  const changes = known === null ? wholeOf(parts) : changesBetween(known.parts, parts);
  return `id: ${id}\ndata: ${JSON.stringify(changes)}\n\n`;
}

function ring(stream: StatusStream): void {
  stream.onRing();
}
