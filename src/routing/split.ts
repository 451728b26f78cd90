/** A weighted `split` between clusters. A plain `forward` is a split with one target. */
import assert from 'node:assert/strict';

export interface Split<T> {
  /** Targets with a weight above 0. */
  readonly targets: readonly T[];
  /** For each target, the cumulative share of the traffic up to and including it; the last one is 1. */
  readonly shares: readonly number[];
}

/** Builds a weighted choice. At least one weight must be above 0. */
export function buildSplit<T>(targets: readonly { readonly weight: number; readonly value: T }[]): Split<T> {
  const weighted = targets.filter(({ weight }) => weight > 0);
  assert(weighted.length > 0, 'a split has a target with a weight above 0');
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  let sum = 0;
  const shares = weighted.map(({ weight }) => {
    sum += weight;
    return sum / total;
  });
  return { targets: weighted.map(({ value }) => value), shares };
}

/** `unit` is uniform in [0, 1). Returns the first target whose cumulative share is above it, by binary search. */
export function pickTarget<T>({ targets, shares }: Split<T>, unit: number): T {
  let low = 0;
  let high = targets.length - 1; // the last share is 1, so it need not be compared
  while (low < high) {
    const middle = (low + high) >> 1;
    if (unit < (shares[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return targets[low] as T;
}
