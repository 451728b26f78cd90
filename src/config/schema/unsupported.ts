/**
 * Documented keys that are not supported yet: refused at their position with advice, neither ignored nor unknown. A
 * new feature deletes its row here and adds its key to the schema.
 */

import type { Problem } from '../problems.ts';
import type { Document } from '../text/document.ts';
import type { Path } from '../text/path.ts';

interface UnsupportedKey {
  /** `*` is any name or index. */
  readonly at: string;
  /** Which values are not supported yet; every value when absent. */
  readonly when?: (value: unknown) => boolean;
  readonly advice: string;
}

const isNot =
  (...supported: readonly unknown[]) =>
  (value: unknown) =>
    !supported.includes(value);
const isOneOf =
  (...later: readonly string[]) =>
  (value: unknown) =>
    later.includes(String(value));

export const UNSUPPORTED: readonly UnsupportedKey[] = [
  { at: 'logging.access.format', when: isOneOf('otel'), advice: 'use json' },
  { at: 'routes.*.forward.mirror', advice: 'remove it' },
  { at: 'routes.*.cors', advice: 'remove it and answer OPTIONS in the backend' },
  { at: 'routes.*.compress', when: isNot('off'), advice: 'write off and compress in the backend' },
  {
    at: 'clusters.*.loadBalancing.policy',
    when: value => typeof value === 'object' || isOneOf('peakEwma', 'consistentHash')(value),
    advice: 'use leastRequests, roundRobin or random',
  },
  { at: 'clusters.*.loadBalancing.consistentHash', advice: 'remove it' },
  { at: 'clusters.*.loadBalancing.sticky', advice: 'remove it' },
];

interface FoundLater {
  readonly path: Path;
  readonly problem: Problem;
}

export function findUnsupported(document: Document): FoundLater[] {
  return UNSUPPORTED.flatMap(({ at, when, advice }) =>
    [at, at.replace(/^(routes|clusters)\.\*/, 'defaults.$1')]
      .flatMap((pattern, index, all) =>
        all.indexOf(pattern) < index ? [] : expand(document, pattern.split('.'), []),
      )
      .filter(path => when === undefined || when(document.at(path)))
      .map(path => {
        const value = document.at(path);
        const named = when !== undefined && typeof value === 'string' ? value : String(path.at(-1));
        const message = `"${named}" is not supported yet; ${advice}`;
        return {
          path,
          problem: document.problem('error', path, message, { at: named === value ? 'value' : 'key' }),
        };
      }),
  );
}

/** The paths in the document that a pattern matches. */
function expand(document: Document, pattern: readonly string[], path: Path): Path[] {
  const [part, ...rest] = pattern;
  if (part === undefined) return [path];
  const value = document.at(path);
  if (typeof value !== 'object' || value === null) return [];
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
  return [...keys]
    .filter(key => part === '*' || key === part)
    .flatMap(key => expand(document, rest, [...path, key]));
}
