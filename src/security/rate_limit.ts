/**
 * Rate limit by GCRA (ITU-T I.371, "generic cell rate algorithm"). Per key it keeps one number, the theoretical arrival time
 * (TAT) of the next request, in monotonic milliseconds. T = period / count; a request is admitted while
 * now >= TAT - T * (burst - 1), and moves TAT to max(now, TAT) + T.
 *
 * The table is bounded. A key whose TAT has passed has its full allowance back, so it can be forgotten without effect. When
 * the table is full, a clock hand (CLOCK) looks at a few keys for one that can be forgotten, and moves the others to the end.
 * If none of them can be forgotten, the new key uses one shared overflow allowance: an attacker with many addresses meets one
 * limit, and no existing key has its limit lowered or forgotten.
 *
 * The table outlives its settings. If a reload changes the limit, the number of requests that each key has used is kept,
 * because times at one rate mean nothing at another.
 */
import type { Clock } from '../resilience/clock.ts';
import { findHeader, type HeaderList } from './fields.ts';
import { clientKey } from './ip_address.ts';

/** Requests with the same key share one allowance: client address (IPv6 by /64), all of the route, or a header's value. */
type RateLimitKey =
  | { readonly kind: 'clientIp' }
  | { readonly kind: 'route' }
  | { readonly kind: 'header'; readonly name: string }; // lower case; `host` is the authority, also of HTTP/2

export interface RateLimitSettings {
  /** Unique within the plan, `route/index`: the metric label and the fact in the failure. */
  readonly name: string;
  readonly key: RateLimitKey;
  /** The configured rate: `count` per `periodMs`. */
  readonly count: number;
  readonly periodMs: number;
  /** Requests that may arrive at once; at least 1. */
  readonly burst: number;
  /** `shadow` only counts what it would refuse. */
  readonly mode: 'enforce' | 'shadow';
  /** Name of the store that several machines share; null: each process counts on its own. */
  readonly store: string | null;
  /** Whether responses have the fields `RateLimit` and `RateLimit-Policy` for it (an IETF draft). */
  readonly headers: 'off' | 'draft';
}

/** The facts of a request by which a limit can be keyed. */
export interface RateLimited {
  readonly clientIp: string;
  readonly authority: string;
  readonly headers: HeaderList;
}

export interface RateLimitDecision {
  /** 0 admits; otherwise milliseconds until the next request of this key would be admitted. */
  readonly retryAfterMs: number;
  /** How many more requests of this key would be admitted after this one. */
  readonly left: number;
  /** Milliseconds until the key has its full allowance back, if this request is charged. */
  readonly resetMs: number;
  readonly key: string;
  /** The theoretical arrival time of the key after `take`. */
  readonly nextTatMs: number;
}

const KEYS_MAX = 65_536;
const KEY_LENGTH_MAX = 128;
/** Maximum of keys examined to find one that can be forgotten. */
const LOOKS_MAX = 8;
const OVERFLOW_KEY = '\0overflow';

/** How much each key has used, independent of the current settings. */
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

  /** Takes back the charge of one request; later charges of the key stay. */
  giveBack({ key }: RateLimitDecision): void {
    const tatMs = this.#tatMs.get(key);
    if (tatMs !== undefined) this.#tatMs.set(key, tatMs - this.#intervalMs);
  }

  /** Keeps at most the new burst: a key that has used 1,000 of 1,000 must not wait for 990 too many if 10 are allowed. */
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
      this.#tatMs.set(first, tatMs); // moved to the end: the hand moves on
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

  /** Changes nothing, because no limit may be charged for a request that another limit refuses. */
  decide(request: RateLimited): RateLimitDecision {
    return this.#allowances.decide(
      limitKey(this.settings.key, request),
      this.#intervalMs,
      this.settings.burst,
    );
  }

  /** Charges an admitted request; called synchronously after `decide`. */
  take(decision: RateLimitDecision): void {
    this.#allowances.take(decision);
  }

  /** Takes back the charge of a request that another limit refused later. */
  giveBack(decision: RateLimitDecision): void {
    this.#allowances.giveBack(decision);
  }
}

/** Milliseconds between two requests at the rate of the limit. */
export function intervalOf({ periodMs, count }: RateLimitSettings): number {
  return periodMs / count;
}

/** The key by which a limit counts this request. */
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
 * The allowances of one route for one kind of key, across plans. Each limit gets the allowances of the same rate. A limit with
 * a changed rate gets the first ones that no other limit has taken, so an inserted limit takes none away from another.
 */
export class RouteAllowances {
  #kept: readonly { readonly rate: string; readonly allowances: Allowances }[] = [];

  /** `limits`: all limits of the route with this kind of key, in the order of the plan. */
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
