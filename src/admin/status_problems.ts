/** The problems of the process in whole sentences, the worst first: an operator must see them within five seconds. */
import { clusterProblems, isDown } from './cluster_problems.ts';
import { listenerProblems } from './listener_problems.ts';
import { ABOUT_PROCESS, aboutStore, type Problem, worstFirst } from './problem.ts';
import { processProblems, reloadProblems } from './process_problems.ts';
import { duration } from './status_format.ts';
import type { ClusterView, PageView, StoreView } from './status_view.ts';

/** The problems that an operator must see, the worst first. */
export function problemsOf(view: PageView): readonly Problem[] {
  return worstFirst([
    ...everythingDown(view.clusters),
    ...processProblems(view),
    ...listenerProblems(view),
    ...view.clusters.flatMap(clusterProblems),
    ...view.stores.flatMap(storeProblems),
    ...reloadProblems(view),
  ]);
}

/** The line of each cluster follows with its cause. */
function everythingDown(clusters: readonly ClusterView[]): Problem[] {
  if (clusters.length === 0 || !clusters.every(isDown)) return [];
  const what =
    clusters.length === 1
      ? `the only cluster, ${clusters[0]?.name}, has`
      : `none of the ${clusters.length} clusters has`;
  const text = `Everything is down: ${what} ${clusters.length === 1 ? 'no' : 'an'} eligible endpoint.`;
  return [{ severity: 'error', ...ABOUT_PROCESS, text, key: null }];
}

function storeProblems({ name, state, sinceMs, lastError, onError }: StoreView): Problem[] {
  if (state !== 'lost') return [];
  const effect =
    onError === 'allow' ? 'its rate limits admit everything' : 'requests with its rate limits get a 503';
  return [
    {
      severity: onError === 'allow' ? 'warning' : 'error',
      ...aboutStore(name),
      text: `Store ${name} has been unreachable for ${duration(sinceMs)} (${lastError}): ${effect}.`,
      key: `stores.${name}`,
    },
  ];
}
