/** A problem that an operator must see, as the status page, `fairlead status` and `/status` share it. */

export interface Problem {
  /**
   * `error`: requests fail now. `warning`: requests are refused, slow or at risk. `note`: nothing fails, but somebody should
   * know, such as an endpoint that an operator has drained.
   */
  readonly severity: 'error' | 'warning' | 'note';
  /** What it is about: `process`, `cluster NAME`, `listener NAME`, `store NAME` or `reload`. */
  readonly subject: string;
  /** A whole sentence, with a full stop. */
  readonly text: string;
  /** The key of the configuration to change, such as `clusters.api.pool.connections`; null: no key helps. */
  readonly key: string | null;
  /** The section of the status page with the details, such as `#cluster-api`; null: there is none. */
  readonly anchor: string | null;
}

type About = Pick<Problem, 'subject' | 'anchor'>;

/** The page gives the section of a cluster the id of the anchor, without `#`. Names need no escape (`itemName`). */
export function aboutCluster(name: string): About {
  return { subject: `cluster ${name}`, anchor: `#cluster-${name}` };
}

export function aboutListener(name: string): About {
  return { subject: `listener ${name}`, anchor: `#listener-${name}` };
}

export function aboutStore(name: string): About {
  return { subject: `store ${name}`, anchor: null };
}

export const ABOUT_PROCESS: About = { subject: 'process', anchor: null };
export const ABOUT_RELOAD: About = { subject: 'reload', anchor: null };

const RANKS: Readonly<Record<Problem['severity'], number>> = { error: 0, warning: 1, note: 2 };

/** The worst first; problems of the same severity keep their order. */
export function worstFirst(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => RANKS[a.severity] - RANKS[b.severity]);
}
