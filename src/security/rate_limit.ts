/**
 * Rate limit by GCRA (ITU-T I.371, "generic cell rate algorithm"): per key one number, the theoretical arrival
 * time (TAT) of the next request, in monotonic milliseconds. T = period / count; a request is admitted while
 * now >= TAT - T * (burst - 1), and moves TAT to max(now, TAT) + T.
 *
 * The table is bounded. A key whose TAT has passed has its full allowance back, so that forgetting it changes
 * nothing. When the table is full, a hand (CLOCK) looks at a few keys for one that can be forgotten and moves those
 * that cannot out of its way. If all that it meets are live, the new key shares one overflow allowance: an attacker
 * with many addresses meets one limit, and the limit of nobody who has a key is lowered or forgotten.
 *
 * The table outlives its settings: a limit that a reload changes goes on with what each key has used so far, counted
 * in requests, because the times of one rate mean nothing at another.
 */
import type { Clock } from '../resilience/clock.ts';
import { clientKey } from './client_address.ts';
import { findHeader, type HeaderList } from './fields.ts';

/** What shares one allowance: the client's address (IPv6 by /64), everybody on the route, or a header's value. */
type RateLimitKey =
  | { readonly kind: 'clientIp' }
  | { readonly kind: 'route' }
  | { readonly kind: 'header'; readonly name: string }; // lower case; `host` is the authority, also of HTTP/2

export interface RateLimitSettings {
  /** Unique within the plan, `route/index`: the metric label and the fact in the failure. */
  readonly name: string;
  readonly key: RateLimitKey;
  /** The rate as written: `count` per `periodMs`. */
  readonly count: number;
  readonly periodMs: number;
  /** Requests that may come at once; at least 1. */
  readonly burst: number;
  /** `shadow` counts what it would refuse, and refuses nothing. */
  readonly mode: 'enforce' | 'shadow';
  /** Name of the store that machines share; null: each process counts on its own. */
  readonly store: string | null;
  /** Whether responses tell of it: `RateLimit` and `RateLimit-Policy`, as a draft of the IETF has them. */
  readonly headers: 'off' | 'draft';
}

/** Who asks, as far as a limit may be keyed by it. */
export interface RateLimited {
  readonly clientIp: string;
  readonly authority: string;
  readonly headers: HeaderList;
}

export interface RateLimitDecision {
  /** 0 admits; otherwise milliseconds until the next request of this key would be admitted. */
  readonly retryAfterMs: number;
  /** How many more of this key would be admitted after this one. */
  readonly left: number;
  /** Milliseconds until the key has its full allowance back, if this request is charged. */
  readonly resetMs: number;
  readonly key: string;
  /** What `take` makes of the key's theoretical arrival time. */
  readonly nextTatMs: number;
}

const KEYS_MAX = 65_536;
const KEY_LENGTH_MAX = 128;
/** Keys looked at for one that can be forgotten. */
const LOOKS_MAX = 8;
const OVERFLOW_KEY = '\0overflow';

/** How much each key has used, whatever the settings are at the time. */
export class Allowances {
  readonly #clock: Clock;
  readonly #keysMax: number;
  readonly #tatMs = new Map<string, number>();
  #intervalMs = 0;

  constructor(clock: Clock, keysMax = KEYS_MAX) {
    this.#clock = clock;
    this.#keysMax = keysMax;
  }

  decide(offered: string, intervalMs: number, burst: number): RateLimitDecision {
    const nowMs = this.#clock.nowMs();
    if (intervalMs !== this.#intervalMs) this.#convert(intervalMs, burst, nowMs);
    const key = this.#slotFor(offered, nowMs);
    const tatMs = Math.max(this.#tatMs.get(key) ?? nowMs, nowMs);
    const earliestMs = tatMs - intervalMs * (burst - 1);
    if (nowMs < earliestMs)
      return { retryAfterMs: earliestMs - nowMs, left: 0, resetMs: tatMs - nowMs, key, nextTatMs: tatMs };
    const left = Math.floor((nowMs - earliestMs) / intervalMs);
    const nextTatMs = tatMs + intervalMs;
    return { retryAfterMs: 0, left, resetMs: nextTatMs - nowMs, key, nextTatMs };
  }

  take({ key, nextTatMs }: RateLimitDecision): void {
    this.#tatMs.set(key, nextTatMs);
  }

  /** One request that was charged shall not have been, whoever was charged since. */
  giveBack({ key }: RateLimitDecision): void {
    const tatMs = this.#tatMs.get(key);
    if (tatMs !== undefined) this.#tatMs.set(key, tatMs - this.#intervalMs);
  }

  /** At most the new burst: whoever has used 1,000 of 1,000 must not wait for 990 too many when 10 are allowed. */
  #convert(intervalMs: number, burst: number, nowMs: number): void {
    for (const [key, tatMs] of this.#tatMs) {
      const used = Math.min(burst, Math.max(0, tatMs - nowMs) / this.#intervalMs);
      this.#tatMs.set(key, nowMs + used * intervalMs);
    }
    this.#intervalMs = intervalMs;
  }

  #slotFor(key: string, nowMs: number): string {
    if (this.#tatMs.size < this.#keysMax || this.#tatMs.has(key)) return key;
    let looks = 0;
    for (const [first, tatMs] of this.#tatMs) {
      this.#tatMs.delete(first);
      if (tatMs <= nowMs) return key;
      this.#tatMs.set(first, tatMs); // behind all others: the hand moves on
      looks++;
      if (looks >= LOOKS_MAX) break;
    }
    return OVERFLOW_KEY;
  }
}

export class RateLimiter {
  readonly settings: RateLimitSettings;
  readonly #allowances: Allowances;
  readonly #intervalMs: number;

  constructor(settings: RateLimitSettings, allowances: Allowances) {
    this.settings = settings;
    this.#allowances = allowances;
    this.#intervalMs = intervalOf(settings);
  }

  /** Changes nothing: of several limits none may be charged for a request that another one refuses. */
  decide(request: RateLimited): RateLimitDecision {
    return this.#allowances.decide(
      limitKey(this.settings.key, request),
      this.#intervalMs,
      this.settings.burst,
    );
  }

  /** Charges an admitted request; in the same turn as `decide`. */
  take(decision: RateLimitDecision): void {
    this.#allowances.take(decision);
  }

  /** What was taken for a request that another limit has refused after all. */
  giveBack(decision: RateLimitDecision): void {
    this.#allowances.giveBack(decision);
  }
}

/** Milliseconds between two requests at the rate of the limit. */
export function intervalOf({ periodMs, count }: RateLimitSettings): number {
  return periodMs / count;
}

/** Who shares one allowance with this request. */
export function limitKey(key: RateLimitKey, { clientIp, authority, headers }: RateLimited): string {
  switch (key.kind) {
    case 'clientIp':
      return clientKey(clientIp);
    case 'route':
      return '';
    case 'header':
      return key.name === 'host'
        ? authority.toLowerCase().slice(0, KEY_LENGTH_MAX)
        : (findHeader(headers, key.name) ?? '').slice(0, KEY_LENGTH_MAX);
  }
}

/**
 * The allowances of one route for one kind of key, through all plans: each limit finds those of the same rate, and
 * where its rate has changed those that nobody else wants, in order. So a limit that is inserted takes none away.
 */
export class RouteAllowances {
  #kept: readonly { readonly rate: string; readonly allowances: Allowances }[] = [];

  /** For all limits of the route with this kind of key, as the plan has them. */
  assign(limits: readonly RateLimitSettings[], make: () => Allowances): Allowances[] {
    const left = [...this.#kept];
    const rates = limits.map(({ count, periodMs }) => `${count}/${periodMs}`);
    const same = rates.map(rate => {
      const at = left.findIndex(one => one.rate === rate);
      return at < 0 ? null : left.splice(at, 1)[0];
    });
    this.#kept = rates.map((rate, at) => ({
      rate,
      allowances: (same[at] ?? left.shift())?.allowances ?? make(),
    }));
    return this.#kept.map(({ allowances }) => allowances);
  }

  dispose(): void {
    this.#kept = [];
  }
}
