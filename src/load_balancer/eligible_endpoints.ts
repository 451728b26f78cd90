/**
 * Which backends of a cluster serve, and why: health alone does not say it.
 *
 *   the lowest tier that has a healthy one, and of which at least `panicBelow` are healthy     -> its healthy ones;
 *                                                     the healthy ones above it stand by, should none of these admit
 *   no tier is good enough, and `panicBelow` is set                                           -> panic: everyone
 *   nothing is healthy, but something was never asked yet                                     -> the unknown ones
 *
 * Panic (Envoy's name and idea): when most of a cluster is down, the few that are left would be drowned by the traffic
 * of all, and a health check that is wrong for everyone is likelier than so many deaths at once.
 */
import type { HealthState } from '../health/state.ts';

interface TieredBackend {
  readonly tier: number;
  /** False: the plan or an operator does not want it asked, whatever its health. */
  readonly takesTraffic: boolean;
  readonly health: { readonly state: HealthState; readonly isEligible: boolean };
}

interface EligibleEndpoints<B> {
  readonly members: readonly B[];
  /** Asked, in this order, when none of the members may be asked at the moment. */
  readonly standby: readonly B[];
  readonly panic: boolean;
}

/** `panicBelow` null: no panic, a tier with a single healthy one serves. */
export function eligibleEndpoints<B extends TieredBackend>(
  all: readonly B[],
  panicBelow: number | null,
): EligibleEndpoints<B> {
  const backends = all.filter(({ takesTraffic }) => takesTraffic);
  const tiers = [...new Set(backends.map(({ tier }) => tier))].sort((a, b) => a - b);
  for (const tier of tiers) {
    // Whoever was never asked counts neither way: a start is no panic.
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
