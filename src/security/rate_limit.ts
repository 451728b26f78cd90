/**
 * Rate limit by GCRA (ITU-T I.371, "generic cell rate algorithm"): per key one number, the theoretical arrival
 * time (TAT) of the next request, in monotonic milliseconds. T = period / count; a request is admitted while
 * now >= TAT - T * (burst - 1), and moves TAT to max(now, TAT) + T.
 *
 * The table is bounded. A key whose TAT has passed has its full allowance back, so that forgetting it changes
 * nothing. When the table is full, a hand (CLOCK) looks at a few keys for one that can be forgotten and moves those
 * that cannot out of its way. If all that it meets are live, the new key shares one overflow allowance: an attacker
 * with many addresses meets one limit, and the limit of nobody who has a key is lowered or forgotten.
 */
import type { Clock } from '../resilience/clock.ts';
import { clientKey } from './client_address.ts';
import { findHeader, type HeaderList } from './fields.ts';

/** What shares one allowance: the client's address (IPv6 by /64), everybody on the route, or a header's value. */
export type RateLimitKey =
  | { readonly kind: 'clientIp' }
  | { readonly kind: 'route' }
  | { readonly kind: 'header'; readonly name: string }; // lower case

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
}

export interface Admission {
  /** 0 admits; otherwise milliseconds until the next request of this key would be admitted. */
  readonly retryAfterMs: number;
  /** How many more of this key would be admitted right now. */
  readonly left: number;
}

const KEYS_MAX = 65_536;
const KEY_LENGTH_MAX = 128;
/** Keys looked at for one that can be forgotten. */
const LOOKS_MAX = 8;
const OVERFLOW_KEY = '\0overflow';

export class RateLimiter {
  readonly settings: RateLimitSettings;
  readonly #clock: Clock;
  readonly #keysMax: number;
  readonly #tatMs = new Map<string, number>();

  constructor(settings: RateLimitSettings, clock: Clock, keysMax = KEYS_MAX) {
    this.settings = settings;
    this.#clock = clock;
    this.#keysMax = keysMax;
  }

  admit(clientIp: string, headers: HeaderList): Admission {
    const nowMs = this.#clock.nowMs();
    const intervalMs = this.settings.periodMs / this.settings.count;
    const key = this.#slotFor(this.#keyOf(clientIp, headers), nowMs);
    const tatMs = Math.max(this.#tatMs.get(key) ?? nowMs, nowMs);
    const earliestMs = tatMs - intervalMs * (this.settings.burst - 1);
    if (nowMs < earliestMs) return { retryAfterMs: earliestMs - nowMs, left: 0 };
    this.#tatMs.set(key, tatMs + intervalMs);
    return { retryAfterMs: 0, left: Math.floor((nowMs - earliestMs) / intervalMs) };
  }

  dispose(): void {
    this.#tatMs.clear();
  }

  #keyOf(clientIp: string, headers: HeaderList): string {
    const { key } = this.settings;
    switch (key.kind) {
      case 'clientIp':
        return clientKey(clientIp);
      case 'route':
        return '';
      case 'header':
        return (findHeader(headers, key.name) ?? '').slice(0, KEY_LENGTH_MAX);
    }
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
