/**
 * Rate limit by GCRA (ITU-T I.371, "generic cell rate algorithm"): per key one number, the theoretical arrival
 * time (TAT) of the next request. T = period / count; a request is admitted while now >= TAT - T * burst, and
 * moves TAT to max(now, TAT) + T.
 *
 * The table is bounded. A key whose TAT has passed has its full allowance back, so that forgetting it changes
 * nothing; those are forgotten first, oldest first. If all are live, new keys share one overflow allowance: an
 * attacker with many addresses meets one limit, and nobody else's is lowered.
 */
import type { Clock } from '../resilience/clock.ts';
import { clientKey } from './client_address.ts';
import { findHeader, type HeaderList } from './headers.ts';

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

const KEYS_MAX = 65_536;
const KEY_LENGTH_MAX = 128;
/** Keys looked at when one must be forgotten: the oldest entries stand first. */
const FORGET_LOOKS_MAX = 8;
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

  /** 0 admits; otherwise milliseconds until the next request of this key would be admitted. */
  admit(clientIp: string, headers: HeaderList): number {
    const nowMs = this.#clock.nowMs();
    const intervalMs = this.settings.periodMs / this.settings.count;
    const key = this.#slotFor(this.#keyOf(clientIp, headers), nowMs);
    const tatMs = Math.max(this.#tatMs.get(key) ?? nowMs, nowMs);
    const earliestMs = tatMs - intervalMs * (this.settings.burst - 1);
    if (nowMs < earliestMs) return earliestMs - nowMs;
    // Taken out and put in again: the map stays in the order of last use.
    this.#tatMs.delete(key);
    this.#tatMs.set(key, tatMs + intervalMs);
    return 0;
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
    for (const [oldKey, tatMs] of this.#tatMs) {
      if (tatMs <= nowMs) {
        this.#tatMs.delete(oldKey);
        return key;
      }
      looks++;
      if (looks >= FORGET_LOOKS_MAX) break;
    }
    return OVERFLOW_KEY;
  }
}
