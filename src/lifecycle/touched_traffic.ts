/** The changes of a reload with the traffic that each of them touches: for the log, the command and `/status`. */
import type { PlanChange } from '../config/diff.ts';
import type { DataPlane } from '../http/data_plane.ts';
import type { TrafficStats } from '../observability/traffic_stats.ts';

interface TouchedChange extends PlanChange {
  /** Requests per second in the minute before the change; null where no part of the traffic is its own. */
  readonly perSecond: number | null;
}

/** What a reload has changed; a long list is cut after its first entries. */
export interface AppliedChanges {
  readonly total: number;
  readonly first: readonly TouchedChange[];
}

const SHOWN_MAX = 20;
const VALUE_LENGTH_MAX = 200;
const STATS_SECONDS = 60;

/** `plane` is the one that runs, before the swap. */
export function touchedChanges(
  changes: readonly PlanChange[],
  plane: DataPlane,
  nowMs: number,
): AppliedChanges {
  const first = changes.slice(0, SHOWN_MAX).map(change => ({
    ...withoutLongValues(change),
    perSecond: perSecond(change.path, plane, nowMs),
  }));
  return { total: changes.length, first };
}

/** A body of 64 KiB is no news for a log line. */
function withoutLongValues({ before, after, ...change }: PlanChange): PlanChange {
  return { ...change, ...ifShort('before', before), ...ifShort('after', after) };
}

function ifShort(key: 'before' | 'after', value: unknown): Pick<PlanChange, 'before' | 'after'> {
  if (value === undefined || JSON.stringify(value).length > VALUE_LENGTH_MAX) return {};
  return { [key]: value };
}

function perSecond(path: string, plane: DataPlane, nowMs: number): number | null {
  const stats = statsOf(path, plane);
  if (stats === null) return null;
  const finished = stats.reduce((sum, one) => sum + one.counts(nowMs).finished, 0);
  return Math.round((finished / STATS_SECONDS) * 100) / 100;
}

function statsOf(path: string, plane: DataPlane): TrafficStats[] | null {
  const [kind, named] = path.split('.');
  const listeners = [...plane.listeners.values()];
  switch (kind) {
    case 'routes':
      return listeners
        .flatMap(({ router }) => router.values)
        .filter(({ settings }) => settings.name === named)
        .map(({ handles }) => handles.stats);
    case 'listeners':
      return listeners
        .filter(({ settings }) => settings.name === named)
        .flatMap(({ router, handles }) => [handles, ...router.values.map(route => route.handles)])
        .map(({ stats }) => stats);
    case 'clusters':
      return [...plane.clusters.values()]
        .filter(({ name }) => name === named)
        .flatMap(({ pool, handles }) => {
          const endpoint = /\.endpoints\.(.+)$/.exec(path)?.[1];
          return pool.backends
            .filter(backend => endpoint === undefined || endpoint.startsWith(backend.label))
            .map(backend => handles.statsOf(backend.name))
            .filter(stats => stats !== null);
        });
    default:
      return null;
  }
}
