/**
 * Names of backends become addresses, and stay up to date in the background.
 *
 *   watch ──> lookup ──> addresses ──(TTL, at most `refreshMs`)──> lookup ──> ...
 *                └─ fails: the last addresses stay; asked again, at growing distances, until it answers
 *
 * What a name had last is remembered beside those who watch it: a reload that renames a cluster or changes how often its
 * names are asked for goes on with the last addresses.
 *
 * A lookup cannot be broken off, and one whose server is silent holds a thread for as long as resolv.conf(5) says. So
 * names that are known to be silent share a few lanes of their own, one that turns out to be silent moves there, and in
 * the others those that were well come first, then new ones.
 *
 * The system's own lookup answers (hosts file, search domains, RFC 6724 order); the time to live is asked of the name
 * server beside it, where there is one. All addresses of the family that the system prefers are taken: both families
 * of a name are the same machines twice.
 */
import dns from 'node:dns/promises';
import pRetry from 'p-retry';
import type { Clock, Timer } from '../resilience/clock.ts';
import { errorCode } from '../resilience/error_code.ts';
import type { Random } from '../resilience/random.ts';
import { NAME_THREADS } from './thread_pool.ts';

export interface Resolution {
  /** IP addresses; at least one. */
  readonly addresses: readonly string[];
  /** Time to live in milliseconds; null if the resolver did not report one. */
  readonly ttlMs: number | null;
}

/** Rejects with an error whose `code` says why. */
export type LookUp = (host: string) => Promise<Resolution>;

interface NameSettings {
  readonly host: string;
  /** The longest time between two lookups. */
  readonly refreshMs: number;
}

/** A name server that says 0 must not make us ask all the time. */
const REFRESH_MS_MIN = 1_000;
const JITTER = 0.1;
/** One name cannot fill the memory; the first ones in order are taken. */
const ADDRESSES_MAX = 256;
/** Of the threads that names may have: for those that are known to be silent, and for all others. */
const SILENT_LOOKUPS_MAX = 2;
const LOOKUPS_MAX = NAME_THREADS - SILENT_LOOKUPS_MAX;
/** Resolvers wait so long for one name server (resolv.conf(5), `timeout`); the lookup itself goes on. */
const SILENT_MS_MAX = 5_000;
const RETRY_MS = { min: 500, max: 10_000 };
/** The addresses wait so long for their time to live: without it they are asked for again after `refreshMs`. */
const TTL_MS_MAX = 500;
/** Names that nobody watches any more are remembered so long, and so many of them. */
const REMEMBERED_MS = 600_000;
const REMEMBERED_MAX = 1_024;

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

/** What is known of a name, whoever watches it. */
interface Known {
  addresses: readonly string[];
  /** Its last lookup took longer than a server that is there. */
  isSilent: boolean;
  watches: number;
  unusedAtMs: number;
}

interface Waiting {
  readonly known: Known;
  readonly start: (inSilentLane: boolean) => void;
}

/** Looks names up, a few at a time. */
export class Resolver {
  readonly #lookUp: LookUp;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #known = new Map<string, Known>();
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #runningSilent = 0;

  constructor(lookUp: LookUp, clock: Clock, random: Random) {
    this.#lookUp = lookUp;
    this.#clock = clock;
    this.#random = random;
  }

  /** The first lookup begins at once. */
  watch(settings: NameSettings, retryMs = RETRY_MS): NameWatch {
    const known = this.#knownOf(settings.host);
    known.watches++;
    const source = {
      known: known.addresses,
      lookUp: (onSilent: () => void) => this.#inTurn(settings.host, known, onSilent),
      onAddresses: (addresses: readonly string[]) => {
        known.addresses = addresses;
      },
      onEnd: () => {
        known.watches--;
        known.unusedAtMs = this.#clock.nowMs();
        this.#forgetSome();
      },
    };
    return new NameWatch(settings, source, retryMs, this.#clock, this.#random);
  }

  #knownOf(host: string): Known {
    const nowMs = this.#clock.nowMs();
    const found = this.#known.get(host);
    if (found !== undefined && (found.watches > 0 || nowMs - found.unusedAtMs < REMEMBERED_MS)) return found;
    const made = { addresses: [], isSilent: false, watches: 0, unusedAtMs: nowMs };
    this.#known.set(host, made);
    return made;
  }

  #forgetSome(): void {
    const unused = [...this.#known].filter(([, { watches }]) => watches === 0);
    unused.sort(([, one], [, other]) => other.unusedAtMs - one.unusedAtMs);
    for (const [host] of unused.slice(REMEMBERED_MAX)) this.#known.delete(host);
  }

  // ---- lanes

  async #inTurn(host: string, known: Known, onSilent: () => void): Promise<Resolution> {
    const lane = this.#enterLane(known);
    let inSilentLane = typeof lane === 'boolean' ? lane : await lane; // at once where nothing is in the way
    let isLate = false;
    const timer = this.#clock.setTimer(
      () => {
        isLate = true;
        known.isSilent = true;
        if (!inSilentLane) {
          this.#leave(false);
          this.#runningSilent++; // perhaps one more than may begin there
          inSilentLane = true;
          this.#startNext();
        }
        onSilent();
      },
      SILENT_MS_MAX,
      undefined,
    );
    try {
      return await this.#lookUp(host);
    } finally {
      this.#clock.cancelTimer(timer);
      known.isSilent = isLate;
      this.#leave(inSilentLane);
      this.#startNext();
    }
  }

  /** Whether it is the silent one. */
  #enterLane(known: Known): Promise<boolean> | boolean {
    if (this.#mayStart(known)) return this.#enter(known);
    return new Promise(start => this.#waiting.push({ known, start }));
  }

  #mayStart({ isSilent }: Known): boolean {
    return isSilent ? this.#runningSilent < SILENT_LOOKUPS_MAX : this.#running < LOOKUPS_MAX;
  }

  #enter({ isSilent }: Known): boolean {
    if (isSilent) this.#runningSilent++;
    else this.#running++;
    return isSilent;
  }

  #leave(isSilent: boolean): void {
    if (isSilent) this.#runningSilent--;
    else this.#running--;
  }

  /** Enters for whoever it starts: nobody may come between. */
  #startNext(): void {
    let best: Waiting | null = null;
    for (const waiting of this.#waiting) {
      if (
        this.#mayStart(waiting.known) &&
        (best === null || urgencyOf(waiting.known) < urgencyOf(best.known))
      )
        best = waiting;
    }
    if (best === null) return;
    this.#waiting.splice(this.#waiting.indexOf(best), 1);
    best.start(this.#enter(best.known));
  }
}

/** Who serves traffic is asked about first. */
function urgencyOf({ addresses, isSilent }: Known): number {
  if (isSilent) return 2;
  return addresses.length > 0 ? 0 : 1;
}

/** The resolver, as one watch sees it. */
interface NameSource {
  /** What the name had when it was watched last. */
  readonly known: readonly string[];
  /** `onSilent`: the server has not answered in time; the lookup goes on. */
  lookUp(onSilent: () => void): Promise<Resolution>;
  onAddresses(addresses: readonly string[]): void;
  onEnd(): void;
}

/** One name, and what is known of it. */
export class NameWatch {
  readonly host: string;
  readonly #settings: NameSettings;
  readonly #source: NameSource;
  readonly #retryMs: typeof RETRY_MS;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ended = new AbortController();
  readonly #listeners = new Set<() => void>();
  #addresses: readonly string[];
  #failure: string | null = null;
  #failingAtMs = 0;
  #timer: Timer | null = null;

  constructor(
    settings: NameSettings,
    source: NameSource,
    retryMs: typeof RETRY_MS,
    clock: Clock,
    random: Random,
  ) {
    this.host = settings.host;
    this.#settings = settings;
    this.#source = source;
    this.#addresses = source.known;
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
  get failingAtMs(): number {
    return this.#failingAtMs;
  }

  /** Hears of other addresses, of the first failure, and of the first success after one. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#source.onEnd();
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
        onFailedAttempt: ({ error }) => this.#become(this.#addresses, errorCode(error)),
      });
      ttlMs = found.ttlMs;
      if (!this.#ended.signal.aborted) this.#become(canonical(found.addresses), null);
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#become(this.#addresses, errorCode(error));
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
    const found = await this.#source.lookUp(() => this.#onSilent());
    if (found.addresses.length === 0) throw Object.assign(new Error('no address'), { code: 'ENODATA' });
    return found;
  }

  #onSilent(): void {
    if (!this.#ended.signal.aborted) this.#become(this.#addresses, 'ETIMEOUT');
  }

  #become(addresses: readonly string[], failure: string | null): void {
    const isNews =
      (failure === null) !== (this.#failure === null) || addresses.join() !== this.#addresses.join();
    if (this.#failure === null) this.#failingAtMs = this.#clock.nowMs();
    this.#addresses = addresses;
    if (failure === null) this.#source.onAddresses(addresses);
    this.#failure = failure;
    if (isNews) for (const listener of this.#listeners) listener();
  }
}

/** The same addresses in another order are no news. */
function canonical(addresses: readonly string[]): string[] {
  return [...new Set(addresses)].sort().slice(0, ADDRESSES_MAX);
}

function refreshAgain(refresh: () => void): void {
  refresh();
}
