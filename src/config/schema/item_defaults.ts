/**
 * Schema of `defaults`: what routes, clusters and listeners may leave out. These have the keys of the items themselves, but for
 * those that say which item it is, and with every key optional. `inheritance.ts` merges them.
 */
import * as z from 'zod';
import type { Problem } from '../problems.ts';
import type { Document } from '../text/document.ts';
import type { Path } from '../text/path.ts';
import { clusterSchema } from './cluster.ts';
import { listenerSchema, listenerTls, proxyProtocol } from './listener.ts';
import { orOff } from './off.ts';
import { basicAuth, routeSchema } from './route.ts';

const OF_ONE_ITEM = {
  routes: ['name', 'match', 'forward', 'redirect', 'respond', 'rewrite', 'maintenance'],
  clusters: ['endpoints'],
  listeners: ['address'],
} as const;

export type ItemKind = keyof typeof OF_ONE_ITEM;
export const ITEM_KINDS = ['routes', 'clusters', 'listeners'] as const satisfies readonly ItemKind[];

const MERGE =
  'Per setting: lists are replaced whole, header edits are merged by field, and `off` replaces a block.';

const routes = routeSchema
  .omit({
    name: true,
    match: true,
    forward: true,
    redirect: true,
    respond: true,
    rewrite: true,
    maintenance: true,
  })
  .extend({ basicAuth: orOff(basicAuth.partial()) });
const clusters = clusterSchema.omit({ endpoints: true });
const listeners = listenerSchema
  .omit({ address: true })
  .extend({ tls: orOff(listenerTls.partial()), proxyProtocol: orOff(proxyProtocol.partial()) });

export const itemDefaults = z.strictObject({
  routes: routes
    .meta({
      description: `What every route has unless it says otherwise: the keys of a route except ${shown('routes')}. ${MERGE} \`timeouts\`, \`retries\` and \`headers.request\` are for routes that forward.`,
    })
    .optional(),
  clusters: clusters
    .meta({
      description: `What every cluster has unless it says otherwise: the keys of a cluster except ${shown('clusters')}. ${MERGE}`,
    })
    .optional(),
  listeners: listeners
    .meta({
      description: `What every listener has unless it says otherwise: the keys of a listener except ${shown('listeners')}. ${MERGE} The preset that a listener names itself takes precedence over these.`,
    })
    .optional(),
});

function shown(kind: ItemKind): string {
  const names = OF_ONE_ITEM[kind].map(name => `\`${name}\``);
  return names.length === 1 ? `${names[0]}` : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** The keys that can be inherited. */
export const INHERITED_KEYS: Readonly<Record<ItemKind, ReadonlySet<string>>> = {
  routes: new Set(Object.keys(routes.shape)),
  clusters: new Set(Object.keys(clusters.shape)),
  listeners: new Set(Object.keys(listeners.shape)),
};

interface Refused {
  readonly path: Path;
  readonly problem: Problem;
}

/** Keys of one item, which would be unknown keys otherwise. */
export function refusedDefaults(document: Document): Refused[] {
  return ITEM_KINDS.flatMap(kind =>
    OF_ONE_ITEM[kind].flatMap((key: string) => {
      const path = ['defaults', kind, key];
      if (document.at(path) === undefined) return [];
      const item = kind.slice(0, -1);
      const message =
        key === 'maintenance'
          ? 'maintenance has its own place for all routes: write it at the top level'
          : `"${key}" belongs to one ${item} and cannot be a default; write it in each ${item}`;
      return { path, problem: document.problem('error', path, message, { at: 'key' }) };
    }),
  );
}
