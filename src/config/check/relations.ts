/** What every check of relations is given: the configuration, and where to say what is wrong. */

import type { Problem } from '../problems.ts';
import type { PartialParse } from '../schema/partial_parse.ts';
import type { Config } from '../schema/schema.ts';
import type { Document, ProblemOptions } from '../text/document.ts';
import type { Path } from '../text/path.ts';

export interface Relations {
  readonly config: Config;
  readonly document: Document;
  /** Whether the schema has refused something at one of these paths, so that nothing follows from its absence. */
  isLost(...paths: readonly Path[]): boolean;
  report(path: Path, message: string, options?: ProblemOptions): void;
}

export function collectRelations(
  config: Config,
  document: Document,
  partial: PartialParse,
  checks: readonly ((relations: Relations) => void)[],
): Problem[] {
  const problems: Problem[] = [];
  const relations: Relations = {
    config,
    document,
    isLost: (...paths) => partial.isLost(...paths),
    // What the schema refused has been said; what was put in its place is nobody's fault.
    report: (path, message, options) => {
      if (!partial.isLost(path)) problems.push(document.problem('error', path, message, options));
    },
  };
  for (const check of checks) check(relations);
  return problems;
}
