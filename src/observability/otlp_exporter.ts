/**
 * Sends spans to a collector by OTLP/HTTP with JSON (OTLP 1.x, section "OTLP/HTTP"): in batches, in the background, out of
 * a bounded queue. A collector that is away costs spans, which are counted, and nothing else.
 */
import pRetry from 'p-retry';
import { request } from 'undici';
import type { Clock, Timer } from '../resilience/clock.ts';
import type { Span } from './otlp_spans.ts';

export interface OtlpSettings {
  /** Without `/v1/traces`. */
  readonly endpoint: string;
  /** Share of the traces that begin here, 0 to 1. */
  readonly sample: number;
  readonly timeoutMs: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** What becomes of spans. */
export interface OtlpListener {
  exported(spans: number): void;
  dropped(cause: 'queue_full' | 'send_failed', spans: number): void;
  /** Null: it works again. */
  onFailing(why: string | null): void;
}

const QUEUE_MAX = 2_048;
const BATCH_MAX = 512;
const EVERY_MS = 1_000;
const RETRY = { retries: 2, minTimeout: 500, maxTimeout: 2_000, randomize: true, unref: true };

export class OtlpExporter {
  readonly #settings: OtlpSettings;
  readonly #resource: unknown;
  readonly #listener: OtlpListener;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  #queue: Span[] = [];
  #timer: Timer | null = null;
  #sending: Promise<void> | null = null;
  #isFailing = false;

  constructor(settings: OtlpSettings, version: string, listener: OtlpListener, clock: Clock) {
    this.#settings = settings;
    this.#listener = listener;
    this.#clock = clock;
    const named = (key: string, stringValue: string) => ({ key, value: { stringValue } });
    this.#resource = { attributes: [named('service.name', 'fairlead'), named('service.version', version)] };
  }

  add(spans: readonly Span[]): void {
    const room = QUEUE_MAX - this.#queue.length;
    if (spans.length > room) {
      this.#listener.dropped('queue_full', spans.length);
      return;
    }
    this.#queue.push(...spans);
    this.#timer ??= this.#clock.setTimer(ring, EVERY_MS, this as OtlpExporter);
  }

  /** For the timer. */
  onRing(): void {
    this.#timer = null;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  /** Sends what is there once more, and is over within the timeout of one batch. */
  async close(): Promise<void> {
    this.#clock.cancelTimer(this.#timer);
    this.#ended.abort(); // no more retries
    await this.#sending;
    while (this.#queue.length > 0 && !this.#isFailing) await this.#sendBatch();
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0 && !this.#ended.signal.aborted) await this.#sendBatch();
  }

  async #sendBatch(): Promise<void> {
    const spans = this.#queue.splice(0, BATCH_MAX);
    try {
      const { signal } = this.#ended;
      if (signal.aborted) await this.#post(spans);
      else await pRetry(() => this.#post(spans), { ...RETRY, signal });
      this.#listener.exported(spans.length);
      this.#tell(null);
    } catch (error) {
      this.#listener.dropped('send_failed', spans.length);
      this.#tell(error instanceof Error ? error.message : String(error));
    }
  }

  /** Once when it begins to fail, once when it is well again. */
  #tell(why: string | null): void {
    if ((why !== null) === this.#isFailing) return;
    this.#isFailing = why !== null;
    this.#listener.onFailing(why);
  }

  async #post(spans: readonly Span[]): Promise<void> {
    const { endpoint, timeoutMs, headers } = this.#settings;
    const scope = { name: 'fairlead' };
    const body = JSON.stringify({
      resourceSpans: [{ resource: this.#resource, scopeSpans: [{ scope, spans }] }],
    });
    const { statusCode, body: answer } = await request(`${endpoint.replace(/\/$/, '')}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...Object.fromEntries(headers) },
      body,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    await answer.dump();
    if (statusCode >= 300) throw new Error(`the collector answered ${statusCode}`);
  }
}

function ring(exporter: OtlpExporter): void {
  exporter.onRing();
}
