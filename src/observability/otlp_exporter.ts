/**
 * Sends spans to a collector with OTLP/HTTP and JSON (OTLP 1.x, section "OTLP/HTTP"): in batches, in the background,
 * from a bounded queue. A collector that is down costs only spans, which are counted.
 */
import pRetry from 'p-retry';
import type { Clock, Timer } from '../resilience/clock.ts';
import type { ResourceAttributes } from './otlp_resource.ts';
import type { Span } from './otlp_spans.ts';

export interface OtlpSettings {
  /** URL of the collector without `/v1/traces`. */
  readonly endpoint: string;
  /** Share of the traces started here, 0 to 1. */
  readonly sample: number;
  readonly timeoutMs: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** With `service.name`; completed from the environment. */
  readonly resource: ResourceAttributes;
}

export const SPAN_LOSSES = ['queue_full', 'send_failed'] as const;
export type SpanLoss = (typeof SPAN_LOSSES)[number];

/** Called with the number of spans that were sent or lost. */
interface OtlpObserver {
  exported(spans: number): void;
  dropped(cause: SpanLoss, spans: number): void;
  /** Null: exporting works again. */
  onFailing(why: string | null): void;
}

const QUEUE_MAX = 2_048;
const BATCH_MAX = 512;
const EVERY_MS = 1_000;
const RESPONSE_BYTES_MAX = 64 * 1_024;
const RETRY = { retries: 2, minTimeout: 500, maxTimeout: 2_000, randomize: true, unref: true };

export class OtlpExporter {
  readonly #settings: OtlpSettings;
  readonly #resource: unknown;
  readonly #scope: unknown;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #observer: OtlpObserver;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  #queue: Span[] = [];
  #timer: Timer | null = null;
  #sending: Promise<void> | null = null;
  #isFailing = false;

  constructor(settings: OtlpSettings, version: string, observer: OtlpObserver, clock: Clock) {
    this.#settings = settings;
    this.#observer = observer;
    this.#clock = clock;
    const attributes = Object.entries({ 'service.version': version, ...settings.resource });
    this.#resource = {
      attributes: attributes.map(([key, stringValue]) => ({ key, value: { stringValue } })),
    };
    this.#scope = { name: 'fairlead', version };
    // In lower case, so that a configured field replaces ours.
    const configured = settings.headers.map(([name, value]) => [name.toLowerCase(), value]);
    this.#headers = {
      'content-type': 'application/json',
      'user-agent': userAgentOf(version),
      ...Object.fromEntries(configured),
    };
  }

  add(spans: readonly Span[]): void {
    const free = QUEUE_MAX - this.#queue.length;
    if (spans.length > free) {
      this.#observer.dropped('queue_full', spans.length);
      return;
    }
    this.#queue.push(...spans);
    this.#timer ??= this.#clock.setTimer(ring, EVERY_MS, this as OtlpExporter);
  }

  /** Sends the next batch; called by the timer. */
  onRing(): void {
    this.#timer = null;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  /** Sends what is queued without retries; takes at most twice the timeout of a batch. */
  async close(): Promise<void> {
    const deadlineAtMs = this.#clock.nowMs() + this.#settings.timeoutMs;
    this.#clock.cancelTimer(this.#timer);
    this.#ended.abort();
    await this.#sending;
    while (this.#queue.length > 0 && !this.#isFailing && this.#clock.nowMs() < deadlineAtMs)
      await this.#sendBatch();
    if (this.#queue.length > 0) this.#observer.dropped('send_failed', this.#queue.splice(0).length);
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0 && !this.#ended.signal.aborted) await this.#sendBatch();
  }

  async #sendBatch(): Promise<void> {
    const spans = this.#queue.splice(0, BATCH_MAX);
    const why = await this.#trySending(spans);
    if (why === null) this.#observer.exported(spans.length);
    else this.#observer.dropped('send_failed', spans.length);
    this.#logExport(why);
  }

  /** Returns null when the collector has accepted the spans, otherwise the last error. */
  async #trySending(spans: readonly Span[]): Promise<string | null> {
    const { signal } = this.#ended;
    let why: string | null = null;
    const attempt = async () => {
      try {
        await this.#post(spans);
        why = null;
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
        throw error;
      }
    };
    // The signal only shortens the pauses: p-retry throws for it even after a success.
    await (signal.aborted ? attempt() : pRetry(attempt, { ...RETRY, signal })).catch(() => {});
    return why;
  }

  /** Reports once when exporting begins to fail, and once when it works again. */
  #logExport(why: string | null): void {
    if ((why !== null) === this.#isFailing) return;
    this.#isFailing = why !== null;
    this.#observer.onFailing(why);
  }

  async #post(spans: readonly Span[]): Promise<void> {
    const { endpoint, timeoutMs } = this.#settings;
    const body = JSON.stringify({
      resourceSpans: [{ resource: this.#resource, scopeSpans: [{ scope: this.#scope, spans }] }],
    });
    const { signal, timer } = this.#timeout(timeoutMs);
    try {
      const { request } = await import('undici'); // only those who trace load all of undici
      const { statusCode, body: responseBody } = await request(`${endpoint.replace(/\/$/, '')}/v1/traces`, {
        method: 'POST',
        headers: this.#headers,
        body,
        signal,
      });
      await responseBody.dump({ limit: RESPONSE_BYTES_MAX });
      if (statusCode >= 300) throw new Error(`the collector answered ${statusCode}`);
    } finally {
      this.#clock.cancelTimer(timer);
    }
  }

  /**
   * Limits the whole exchange, connecting included. A body that arrives late is cut off, because the status says
   * everything.
   */
  #timeout(timeoutMs: number): { signal: AbortSignal; timer: Timer } {
    const controller = new AbortController();
    const why = new Error(`the collector did not answer within ${timeoutMs} ms`);
    const timer = this.#clock.setTimer(controller => controller.abort(why), timeoutMs, controller);
    return { signal: controller.signal, timer };
  }
}

/**
 * The product, then exporter, language and version (OpenTelemetry specification, "OpenTelemetry Protocol Exporter",
 * section "User Agent").
 */
function userAgentOf(version: string): string {
  return `fairlead/${version} OTel-OTLP-Exporter-JavaScript/${version}`;
}

function ring(exporter: OtlpExporter): void {
  exporter.onRing();
}
