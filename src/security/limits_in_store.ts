/** The limits of one route that a shared store counts, for all machines together. */
import { hash } from 'node:crypto';
import type { LimitQuestion } from './limit_script.ts';
import type { LimitStore, StoreAnswer } from './limit_store.ts';
import { intervalOf, limitKey, type RateLimited, type RateLimitSettings } from './rate_limit.ts';

export class StoreLimits {
  readonly store: LimitStore;
  readonly limits: readonly RateLimitSettings[];
  readonly #identities: readonly string[];

  /** `limits`: the limits of `route` with this store, in the order of the plan. */
  constructor(route: string, limits: readonly RateLimitSettings[], store: LimitStore) {
    this.store = store;
    this.limits = limits;
    this.#identities = identities(route, limits);
  }

  /** Asks for all limits at once: the store charges none of them if an enforced one refuses. */
  ask(request: RateLimited, onAnswer: (answer: StoreAnswer) => void): () => void {
    return this.store.ask(
      this.limits.map((settings, at) => this.#question(settings, at, request)),
      onAnswer,
    );
  }

  #question(settings: RateLimitSettings, at: number, request: RateLimited): LimitQuestion {
    const { key, burst, mode } = settings;
    const value = limitKey(key, request);
    return {
      key: `${this.#identities[at]}:${key.kind === 'header' ? digest(value) : value}`,
      intervalMs: intervalOf(settings),
      burst,
      enforce: mode === 'enforce',
    };
  }
}

/**
 * Names by route and kind of key, numbered from the second limit of the same kind on. So the usage is kept if the rate of a
 * limit changes, or if a limit with another kind of key is inserted or removed.
 */
function identities(route: string, limits: readonly RateLimitSettings[]): string[] {
  const seen = new Map<string, number>();
  return limits.map(({ key }) => {
    const kind = key.kind === 'header' ? `header.${key.name}` : key.kind;
    const count = seen.get(kind) ?? 0;
    seen.set(kind, count + 1);
    return count === 0 ? `${route}/${kind}` : `${route}/${kind}.${count}`;
  });
}

/** A header can hold a secret (an API key), which must not be readable in the store. */
function digest(value: string): string {
  return hash('sha256', value, 'base64url');
}
