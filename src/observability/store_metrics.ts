/** Metrics of the stores of shared rate limits. */
import type { Registry } from 'prom-client';
import { defineCounter, defineHistogram } from './metric_definition.ts';

/** A store in the same network answers within a millisecond; the last buckets are for distant ones. */
const ANSWER_BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

/** Metrics of one store, as long as a plan has it. */
export interface StoreHandles {
  answered(tookMs: number): void;
  failed(cause: string): void;
}

export class StoreMetrics {
  readonly #seconds;
  readonly #errors;
  readonly #causes: readonly string[];
  #stores = new Set<string>();
  #used = new Set<string>();

  /** `causes`: all values of the label `cause`. */
  constructor(registry: Registry, causes: readonly string[]) {
    this.#causes = causes;
    this.#seconds = defineHistogram(
      registry,
      'limit_store_seconds',
      'Time from asking a store of rate limits to its answer',
      ['store'],
      ANSWER_BUCKETS_S,
    );
    this.#errors = defineCounter(
      registry,
      'limit_store_errors_total',
      'Requests whose rate limits a store did not answer for',
      ['store', 'cause'],
    );
  }

  /** Called for each store while a plan is assembled. */
  handles(store: string): StoreHandles {
    this.#stores.add(store);
    this.#used.add(store);
    const seconds = this.#seconds.labels({ store });
    return {
      answered: tookMs => {
        if (this.#stores.has(store)) seconds.observe(tookMs / 1_000);
      },
      // A late call must not bring back the series of a store that no plan has any more.
      failed: cause => {
        if (this.#stores.has(store)) this.#errors.inc({ store, cause });
      },
    };
  }

  /** A plan has few stores, and a store few causes. */
  startAtZero(): void {
    for (const store of this.#stores) for (const cause of this.#causes) this.#errors.inc({ store, cause }, 0);
  }

  /** After a swap: removes the series of stores that were not requested since the last call. */
  retainUsed(): void {
    for (const store of this.#stores.difference(this.#used)) {
      this.#seconds.remove({ store });
      for (const cause of this.#causes) this.#errors.remove({ store, cause });
    }
    this.#stores = this.#used;
    this.#used = new Set();
  }
}
