/**
 * Names of backends become addresses, and stay up to date in the background.
 *
 *   watch ──> lookup ──> addresses ──(TTL, at most `refreshMs`)──> lookup ──> ...
 *                └─ fails: the last addresses stay; asked again, at growing distances, until it answers
 *
 * The system's own lookup answers (hosts file, search domains, RFC 6724 order); the time to live is asked of the name
 * server beside it, where there is one. All addresses of the family that the system prefers are taken: both families
 * of a name are the same machines twice.
 */
import dns from 'node:dns/promises';
import pRetry from 'p-retry';
import type { Clock, Timer } from '../resilience/clock.ts';
import type { Random } from '../resilience/random.ts';

export interface Resolution {
  /** IP addresses; at least one. */
  readonly addresses: readonly string[];
  /** Null: not known. */
  readonly ttlMs: number | null;
}

/** Rejects with an error whose `code` says why. */
export type LookUp = (host: string) => Promise<Resolution>;

export interface NameSettings {
  readonly host: string;
  /** The longest time between two lookups. */
  readonly refreshMs: number;
}

/** A name server that says 0 must not make us ask all the time. */
const REFRESH_MS_MIN = 1_000;
const JITTER = 0.1;
/** One name cannot fill the memory; the first ones in order are taken. */
const ADDRESSES_MAX = 256;
/** getaddrinfo(3) waits in the thread pool, which log files need too: two of its four threads at most. */
const LOOKUPS_MAX = 2;
/** Resolvers wait so long for one name server (resolv.conf(5), `timeout`); the lookup itself goes on. */
const SILENT_MS_MAX = 5_000;
const RETRY_MS = { min: 500, max: 10_000 };
/** The addresses wait so long for their time to live: without it they are asked for again after `refreshMs`. */
const TTL_MS_MAX = 500;

export const systemLookUp: LookUp = async host => {
  const found = await dns.lookup(host, { all: true, order: 'verbatim' });
  const family = found[0]?.family;
  const addresses = found.filter(one => one.family === family).map(({ address }) => address);
  return { addresses, ttlMs: await timeToLiveMs(host, family === 6 ? 6 : 4) };
};

async function timeToLiveMs(host: string, family: 4 | 6): Promise<number | null> {
  try {
    const resolver = new dns.Resolver({ timeout: TTL_MS_MAX, tries: 1 });
    const records =
      family === 4
        ? await resolver.resolve4(host, { ttl: true })
        : await resolver.resolve6(host, { ttl: true });
    return records.length === 0 ? null : Math.min(...records.map(({ ttl }) => ttl)) * 1_000;
  } catch {
    return null; // a name from the hosts file, for example
  }
}

/** Looks names up, a few at a time. */
export class Resolver {
  readonly #lookUp: LookUp;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(lookUp: LookUp, clock: Clock, random: Random) {
    this.#lookUp = lookUp;
    this.#clock = clock;
    this.#random = random;
  }

  /** The first lookup begins at once. */
  watch(settings: NameSettings, retryMs = RETRY_MS): NameWatch {
    return new NameWatch(settings, host => this.#inTurn(host), retryMs, this.#clock, this.#random);
  }

  async #inTurn(host: string): Promise<Resolution> {
    if (this.#running === LOOKUPS_MAX) await new Promise<void>(resolve => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await this.#lookUp(host);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

/** One name, and what is known of it. */
export class NameWatch {
  readonly host: string;
  readonly #settings: NameSettings;
  readonly #lookUp: LookUp;
  readonly #retryMs: typeof RETRY_MS;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ended = new AbortController();
  readonly #listeners = new Set<() => void>();
  #addresses: readonly string[] = [];
  #failure: string | null = null;
  #failingMs = 0;
  #timer: Timer | null = null;

  constructor(
    settings: NameSettings,
    lookUp: LookUp,
    retryMs: typeof RETRY_MS,
    clock: Clock,
    random: Random,
  ) {
    this.host = settings.host;
    this.#settings = settings;
    this.#lookUp = lookUp;
    this.#retryMs = retryMs;
    this.#clock = clock;
    this.#random = random;
    void this.#refresh();
  }

  /** Of the last lookup that has succeeded; empty before that. Sorted. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }
  /** Why the lookups since the last success have failed (`ENOTFOUND`); null: they have not. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Since when, while `failure` is not null. */
  get failingMs(): number {
    return this.#failingMs;
  }

  /** Hears of other addresses, of the first failure, and of the first success after one. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    this.#ended.abort();
    this.#clock.cancelTimer(this.#timer);
    this.#listeners.clear();
  }

  async #refresh(): Promise<void> {
    let ttlMs: number | null = null;
    try {
      const found = await pRetry(() => this.#ask(), {
        retries: Number.POSITIVE_INFINITY,
        minTimeout: this.#retryMs.min,
        maxTimeout: this.#retryMs.max,
        randomize: true,
        unref: true,
        signal: this.#ended.signal,
        onFailedAttempt: ({ error }) => this.#become(this.#addresses, codeOf(error)),
      });
      ttlMs = found.ttlMs;
      if (!this.#ended.signal.aborted) this.#become(canonical(found.addresses), null);
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#become(this.#addresses, codeOf(error));
    }
    if (this.#ended.signal.aborted) return;
    const pauseMs = Math.max(
      REFRESH_MS_MIN,
      Math.min(ttlMs ?? Number.POSITIVE_INFINITY, this.#settings.refreshMs),
    );
    const jitter = 1 + JITTER * (2 * this.#random.unit() - 1);
    this.#timer = this.#clock.setTimer(refreshAgain, pauseMs * jitter, () => void this.#refresh());
  }

  async #ask(): Promise<Resolution> {
    const waiting = this.#clock.setTimer(
      () => this.#become(this.#addresses, 'ETIMEOUT'),
      SILENT_MS_MAX,
      undefined,
    );
    const found = await this.#lookUp(this.host).finally(() => this.#clock.cancelTimer(waiting));
    if (found.addresses.length === 0) throw Object.assign(new Error('no address'), { code: 'ENODATA' });
    return found;
  }

  #become(addresses: readonly string[], failure: string | null): void {
    const isNews =
      (failure === null) !== (this.#failure === null) || addresses.join() !== this.#addresses.join();
    if (this.#failure === null) this.#failingMs = this.#clock.nowMs();
    this.#addresses = addresses;
    this.#failure = failure;
    if (isNews) for (const listener of this.#listeners) listener();
  }
}

/** The same addresses in another order are no news. */
function canonical(addresses: readonly string[]): string[] {
  return [...new Set(addresses)].sort().slice(0, ADDRESSES_MAX);
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}

function refreshAgain(refresh: () => void): void {
  refresh();
}
