/**
 * Which backends of a cluster are eligible. Health alone does not decide it:
 *
 *   the lowest tier with a healthy backend, of which at least `panicBelow` are healthy   -> its healthy backends;
 *                                          the healthy ones of higher tiers are standby, should none of these admit
 *   no tier is good enough, and `panicBelow` is set                                      -> panic: all backends
 *   nothing is healthy, but some backends were never probed                              -> the unknown ones
 *
 * Panic threshold (Envoy's term and idea): when most of a cluster is down, the traffic of all would overload the few that
 * are left, and a health check that is wrong is more likely than so many failures at once.
 */
import type { HealthState } from '../health/state.ts';

interface TieredBackend {
  readonly tier: number;
  /** False: its weight is 0, or an operator has drained it. */
  readonly takesTraffic: boolean;
  readonly health: { readonly state: HealthState; readonly isEligible: boolean };
}

interface EligibleEndpoints<B> {
  readonly members: readonly B[];
  /** Asked in this order while none of the members admits requests. */
  readonly standby: readonly B[];
  readonly panic: boolean;
}

/** `panicBelow` null: no panic; a tier with a single healthy backend is used. */
export function eligibleEndpoints<B extends TieredBackend>(
  all: readonly B[],
  panicBelow: number | null,
): EligibleEndpoints<B> {
  const backends = all.filter(({ takesTraffic }) => takesTraffic);
  const tiers = [...new Set(backends.map(({ tier }) => tier))].sort((a, b) => a - b);
  for (const tier of tiers) {
    // Backends that were never probed do not count, otherwise every start would be a panic.
    const judged = backends.filter(({ tier: at, health }) => at === tier && health.state !== 'unknown');
    const healthy = judged.filter(isKnownGood);
    if (healthy.length > 0 && healthy.length / judged.length >= (panicBelow ?? 0))
      return { members: healthy, standby: above(tier, backends), panic: false };
  }
  const unknown = backends.filter(({ health }) => health.isEligible && health.state === 'unknown');
  const isStarting = unknown.length > 0 && !backends.some(isKnownGood);
  if (isStarting) return { members: lowestTier(unknown), standby: [], panic: false };
  if (panicBelow !== null) return { members: backends, standby: [], panic: backends.length > 0 };
  return { members: [], standby: [], panic: false };
}

function above<B extends TieredBackend>(tier: number, backends: readonly B[]): B[] {
  return backends
    .filter(backend => backend.tier > tier && isKnownGood(backend))
    .sort((a, b) => a.tier - b.tier);
}

function isKnownGood({ health }: TieredBackend): boolean {
  return health.isEligible && health.state !== 'unknown';
}

function lowestTier<B extends TieredBackend>(backends: readonly B[]): B[] {
  const lowest = Math.min(...backends.map(({ tier }) => tier));
  return backends.filter(({ tier }) => tier === lowest);
}
