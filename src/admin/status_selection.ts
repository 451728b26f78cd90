/** A part of `/status`: one cluster, or only what is not right. For terminals and for programs alike. */
import { clusterSeverity, RIGHT, severityOf } from './endpoint_severity.ts';
import { unknownName } from './name_list.ts';
import { aboutCluster } from './problem.ts';
import type { Status } from './status_table.ts';

export interface Selection {
  /** Null: all clusters. */
  readonly cluster: string | null;
  /** Only clusters and endpoints that are not right. */
  readonly failing: boolean;
}

/** A string says why there is nothing to show. */
export function selectStatus(status: Status, { cluster, failing }: Selection): Status | string {
  if (cluster === null) return failing ? onlyFailing(status) : status;
  const clusters = status.clusters.filter(({ name }) => name === cluster);
  if (clusters.length === 0) {
    const known = status.clusters.map(({ name }) => name);
    return `there is no cluster ${unknownName(cluster, known, 'clusters')}`;
  }
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
