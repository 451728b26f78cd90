/** The context of a check: the configuration, and how to report a problem. */

import type { Problem } from '../problems.ts';
import type { PartialParse } from '../schema/partial_parse.ts';
import type { Config } from '../schema/schema.ts';
import type { Document, ProblemOptions } from '../text/document.ts';
import type { Path } from '../text/path.ts';

export interface Relations {
  readonly config: Config;
  readonly document: Document;
  /** Whether the schema has refused something at one of these paths, so that nothing may be concluded from its absence. */
  isLost(...paths: readonly Path[]): boolean;
  /** Whether the value comes from `defaults`, so that it is not meant for this item alone. */
  isInherited(path: Path): boolean;
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
    isInherited: path => document.inheritedFrom(path) !== null,
    // The schema has reported that problem already; the stub that replaced the setting causes no further ones.
    report: (path, message, options) => {
      if (!partial.isLost(path)) problems.push(document.problem('error', path, message, options));
    },
  };
  for (const check of checks) check(relations);
  return problems;
}
