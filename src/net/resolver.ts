/**
 * Resolves the names of backends and keeps the addresses up to date in the background.
 *
 *   watch ──> lookup ──> addresses ──(TTL, at most `refreshMs`)──> lookup ──> ...
 *                └─ fails: the last addresses stay; retried with growing pauses until it succeeds
 *
 * The last addresses of a name are remembered independently of its watches: a reload that renames a cluster or changes its
 * refresh time continues with them.
 *
 * A lookup cannot be cancelled, and one whose name server is silent holds a thread for as long as resolv.conf(5) says. So
 * names that are known to be silent share a few lanes of their own, and a name that turns out to be silent moves there. In
 * the other lanes healthy names come first, then new ones.
 *
 * The system's own lookup is used (hosts file, search domains, RFC 6724 order). The time to live comes from a second query
 * to the name server, where there is one. All addresses of the preferred family are used: both families of a name are
 * usually the same machines.
 */
import dns from 'node:dns/promises';
import pRetry from 'p-retry';
import type { Clock, Timer } from '../resilience/clock.ts';
import { errorCode } from '../resilience/error_code.ts';
import type { Random } from '../resilience/random.ts';
import { NAME_THREADS } from './thread_pool.ts';

export interface Resolution {
  /** IP addresses, at least one. */
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

/** Lower bound for a time to live, so that a name server that sends 0 does not cause constant lookups. */
const REFRESH_MS_MIN = 1_000;
const JITTER = 0.1;
/** Bounds the memory for one name; the first addresses are kept. */
const ADDRESSES_MAX = 256;
/** Lookups at the same time: for names that are known to be silent, and for all others. */
const SILENT_LOOKUPS_MAX = 2;
const LOOKUPS_MAX = NAME_THREADS - SILENT_LOOKUPS_MAX;
/** How long a resolver waits for one name server (resolv.conf(5), `timeout`); the lookup itself continues. */
const SILENT_MS_MAX = 5_000;
const RETRY_MS = { min: 500, max: 10_000 };
/** How long the addresses wait for their time to live; without it they are looked up again after `refreshMs`. */
const TTL_MS_MAX = 500;
/** How long, and how many, names are remembered that nobody watches any more. */
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
    return null; // for example a name from the hosts file
  }
}

/** What is known about a name, for all its watches. */
interface Known {
  addresses: readonly string[];
  /** Its last lookup took longer than a name server that is alive would need. */
  isSilent: boolean;
  watches: number;
  unusedAtMs: number;
}

interface Waiting {
  readonly known: Known;
  readonly start: (inSilentLane: boolean) => void;
}

/** Looks up names, a few at a time. */
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

  /** The first lookup starts at once. */
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
    let inSilentLane = typeof lane === 'boolean' ? lane : await lane; // synchronously if a lane is free
    let isLate = false;
    const timer = this.#clock.setTimer(
      () => {
        isLate = true;
        known.isSilent = true;
        if (!inSilentLane) {
          this.#leave(false);
          this.#runningSilent++; // may briefly exceed the limit by one
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

  /** Whether the lane is the one for silent names. */
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

  /** Takes the lane for the lookup that it starts, so that nothing can come between. */
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

/** Names that serve traffic are looked up first. */
function urgencyOf({ addresses, isSilent }: Known): number {
  if (isSilent) return 2;
  return addresses.length > 0 ? 0 : 1;
}

/** The resolver, as one watch uses it. */
interface NameSource {
  /** The addresses that the name had when it was last watched. */
  readonly known: readonly string[];
  /** `onSilent` is called when the name server has not answered in time; the lookup continues. */
  lookUp(onSilent: () => void): Promise<Resolution>;
  onAddresses(addresses: readonly string[]): void;
  onEnd(): void;
}

/** Watches one name. */
export class NameWatch {
  readonly host: string;
  readonly #settings: NameSettings;
  readonly #source: NameSource;
  readonly #retryMs: typeof RETRY_MS;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ended = new AbortController();
  readonly #observers = new Set<() => void>();
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

  /** Addresses of the last successful lookup, sorted; empty before the first one. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }
  /** Error code of the lookups since the last success (`ENOTFOUND`); null if they succeed. */
  get failure(): string | null {
    return this.#failure;
  }

  /** When the lookups began to fail, while `failure` is not null. */
  get failingAtMs(): number {
    return this.#failingAtMs;
  }

  /** Called when the addresses change, on the first failure, and on the first success after a failure. */
  subscribe(observer: () => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  dispose(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#source.onEnd();
    this.#clock.cancelTimer(this.#timer);
    this.#observers.clear();
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
    if (isNews) for (const observer of this.#observers) observer();
  }
}

/** The same addresses in another order are no change. */
function canonical(addresses: readonly string[]): string[] {
  return [...new Set(addresses)].sort().slice(0, ADDRESSES_MAX);
}

function refreshAgain(refresh: () => void): void {
  refresh();
}
