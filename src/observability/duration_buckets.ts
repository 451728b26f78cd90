/** Durations counted in buckets that grow by a fifth: a percentile is off by at most 10 %. */

/** 0.1 ms, then a fifth more each; the last bucket begins at 42 s. */
export const BUCKETS = 72;
const FIRST_MS = 0.1;
const GROWTH_LOG = Math.log(1.2);

export function bucketOf(ms: number): number {
  if (ms <= FIRST_MS) return 0;
  return Math.min(BUCKETS - 1, 1 + Math.floor(Math.log(ms / FIRST_MS) / GROWTH_LOG));
}

/** The middle of the bucket on a logarithmic scale; null without any count. */
export function quantile(counts: Float64Array, share: number): number | null {
  const wanted = share * counts.reduce((total, count) => total + count, 0);
  let seen = 0;
  for (const [at, count] of counts.entries()) {
    seen += count;
    if (seen >= wanted && seen > 0) return FIRST_MS * Math.exp(GROWTH_LOG * (at - 0.5));
  }
  return null;
}
