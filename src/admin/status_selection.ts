/** A part of `/status`: one cluster, or only what is not right. For terminals and for programs alike. */
import { nearest } from '../config/nearest.ts';
import { clusterSeverity, RIGHT, severityOf } from './endpoint_severity.ts';
import { aboutCluster } from './problem.ts';
import type { Status } from './status_table.ts';

export interface Selection {
  /** Null: all clusters. */
  readonly cluster: string | null;
  /** Only clusters and endpoints that are not right. */
  readonly failing: boolean;
}

const NAMES_SHOWN_MAX = 20;

/** A string says why there is nothing to show. */
export function selectStatus(status: Status, { cluster, failing }: Selection): Status | string {
  if (cluster === null) return failing ? onlyFailing(status) : status;
  const clusters = status.clusters.filter(({ name }) => name === cluster);
  if (clusters.length === 0)
    return unknownCluster(
      cluster,
      status.clusters.map(({ name }) => name),
    );
  const { subject } = aboutCluster(cluster);
  const problems = status.problems?.filter(problem => problem.subject === subject) ?? [];
  const one = { ...status, clusters, problems };
  return failing ? onlyFailing(one) : one;
}

function onlyFailing(status: Status): Status {
  const clusters = status.clusters
    .filter(cluster => clusterSeverity(cluster) < RIGHT)
    .map(cluster => ({ ...cluster, endpoints: cluster.endpoints.filter(one => severityOf(one) < RIGHT) }));
  return { ...status, clusters };
}

function unknownCluster(word: string, names: readonly string[]): string {
  const meant = nearest(word, names);
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  const more = names.length > NAMES_SHOWN_MAX ? ` and ${names.length - NAMES_SHOWN_MAX} more` : '';
  return `there is no cluster ${word}${hint}; clusters: ${names.slice(0, NAMES_SHOWN_MAX).join(', ')}${more}`;
}
