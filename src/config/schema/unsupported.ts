/**
 * Keys of the contract whose feature comes later: refused at their place with what to do until then, neither
 * ignored nor unknown. A feature that arrives deletes its row and adds its key to the schema.
 */

import type { Problem } from '../problems.ts';
import type { Document } from '../text/document.ts';
import type { Path } from '../text/path.ts';

interface LaterKey {
  /** `*` is any name or index. */
  readonly at: string;
  /** Which values are not supported yet; every value when absent. */
  readonly when?: (value: unknown, path: Path) => boolean;
  readonly instead: string;
}

const isNot =
  (...supported: readonly unknown[]) =>
  (value: unknown) =>
    !supported.includes(value);
const isOneOf =
  (...later: readonly string[]) =>
  (value: unknown) =>
    later.includes(String(value));

export const LATER: readonly LaterKey[] = [
  { at: 'logging.access.format', when: isOneOf('otel'), instead: 'use json' },
  { at: 'listeners.*.preset', instead: 'set timeouts.keepAliveIdle and trustedProxies instead' },
  { at: 'listeners.*.proxyProtocol', instead: 'remove it and switch it off in the load balancer' },
  {
    at: 'listeners.*.tls.certificates.*',
    when: (_, path) => path.at(-1) !== 0,
    instead: 'use one certificate per listener that covers all names',
  },
  {
    at: 'listeners.*.tls.clientCertificate.mode',
    when: isNot('none'),
    instead: 'use none: clients are not asked for a certificate',
  },
  { at: 'routes.*.forward.mirror', instead: 'remove it' },
  { at: 'routes.*.cors', instead: 'remove it and answer OPTIONS in the backend' },
  { at: 'routes.*.compress', when: isNot('off'), instead: 'write off and compress in the backend' },
  {
    at: 'clusters.*.loadBalancing.policy',
    when: value => typeof value === 'object' || isOneOf('peakEwma', 'consistentHash')(value),
    instead: 'use leastRequests, roundRobin or random',
  },
  { at: 'clusters.*.loadBalancing.consistentHash', instead: 'remove it' },
  { at: 'clusters.*.loadBalancing.sticky', instead: 'remove it' },
];

interface FoundLater {
  readonly path: Path;
  readonly problem: Problem;
}

export function findUnsupported(document: Document): FoundLater[] {
  return LATER.flatMap(({ at, when, instead }) =>
    expand(document, at.split('.'), [])
      .filter(path => when === undefined || when(document.at(path), path))
      .map(path => {
        const value = document.at(path);
        const named = when !== undefined && typeof value === 'string' ? value : nameOf(path);
        const message = `"${named}" is not supported yet; ${instead}`;
        return {
          path,
          problem: document.problem('error', path, message, { at: named === value ? 'value' : 'key' }),
        };
      }),
  );
}

/** `certificates[1]`, or the key. */
function nameOf(path: Path): string {
  const last = path.at(-1);
  return typeof last === 'number' ? `${path.at(-2)}[${last}]` : String(last);
}

/** The paths in the document that a pattern stands for. */
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
