/**
 * What an item does not inherit, although `defaults` says it: what would have no effect there, or would contradict what the item
 * says itself. Written in the item, most of it is an error; as a default it is meant for the other items.
 *
 * A block that cannot stand alone, such as `tls` without certificates, completes the blocks that items write and is not one itself.
 */
import { parseAddress } from '../../net/address.ts';
import { keyOf, type Path, valueAt } from '../text/path.ts';
import type { ItemKind } from './item_defaults.ts';
import { isMapping, type Mapping } from './mapping.ts';
import { PRESET_NAMES, PRESETS } from './presets.ts';

/** Blocks that need one of these keys. */
const INCOMPLETE_WITHOUT: Readonly<
  Record<ItemKind, readonly (readonly [at: Path, keys: readonly string[]])[]>
> = {
  routes: [[['basicAuth'], ['file']]],
  clusters: [
    [
      ['health', 'active'],
      ['path', 'tcp', 'grpc', 'webSocket'],
    ],
  ],
  listeners: [
    [['tls'], ['certificates', 'certFile']],
    [['proxyProtocol'], ['from']],
  ],
};

/** Each as `keyOf` its path in the item. */
export function notInherited(kind: ItemKind, item: Mapping, defaults: Mapping): ReadonlySet<string> {
  const incomplete = INCOMPLETE_WITHOUT[kind].flatMap(([at, keys]) => {
    const block = valueAt(defaults, at);
    const stands = keys.some(key => valueAt(block, [key]) !== undefined);
    return isMapping(block) && !stands && valueAt(item, at) === undefined ? [at] : [];
  });
  return new Set([...incomplete, ...BY_KIND[kind](item, defaults)].map(keyOf));
}

const BY_KIND: Readonly<Record<ItemKind, (item: Mapping, defaults: Mapping) => Path[]>> = {
  routes: item => (item['forward'] === undefined ? [['timeouts'], ['retries'], ['headers', 'request']] : []),
  clusters: (item, defaults) => [
    ...(item['protocol'] === 'h2c' ? [['tls']] : []),
    ...probeOf(valueAt(item, ['health', 'active']), valueAt(defaults, ['health', 'active'])),
  ],
  listeners: (item, defaults) => [
    ...protocolsOf(item, defaults),
    ...certificatesBeside(valueAt(item, ['tls'])),
    ...ticketsOf(valueAt(item, ['tls', 'sessionTickets'])),
    ...presetOf(item['preset']),
  ],
};

/** The settings of a probe that depend on its kind. */
const PROBE = ['path', 'method', 'host', 'headers', 'expect', 'body', 'tcp', 'grpc', 'webSocket'] as const;

/** A cluster with another kind of probe has only the times and counts of the default one. */
function probeOf(own: unknown, inherited: unknown): Path[] {
  const [kind, other] = [kindOf(own), kindOf(inherited)];
  if (kind === null || other === null || kind === other) return [];
  return PROBE.map(key => ['health', 'active', key]);
}

/** Null: it says nothing of what is asked. */
function kindOf(probe: unknown): string | null {
  if (!isMapping(probe)) return null;
  const kind = ['tcp', 'grpc', 'webSocket'].find(key => probe[key] !== undefined);
  return kind ?? (PROBE.some(key => probe[key] !== undefined) ? 'http' : null);
}

/** What only some listeners can speak or do. */
function protocolsOf(item: Mapping, defaults: Mapping): Path[] {
  const inherits = item['tls'] === undefined && certificatesOf(valueAt(defaults, ['tls'])) !== null;
  const hasTls = inherits || isMapping(item['tls']);
  const h2c = String(item['h2c'] ?? defaults['h2c'] ?? false) === 'true';
  const address = typeof item['address'] === 'string' ? parseAddress(item['address']) : '';
  const isOther = typeof address !== 'string' && address.kind !== 'tcp';
  return [
    ...(hasTls ? [['h2c']] : []),
    ...(!hasTls && !h2c && isMapping(defaults['http2']) ? [['http2']] : []),
    ...(isOther ? [['reusePort']] : []),
  ];
}

/** Certificates have a short form; null: there are none. */
function certificatesOf(tls: unknown): 'list' | 'one' | null {
  if (!isMapping(tls)) return null;
  if (tls['certificates'] !== undefined) return 'list';
  return tls['certFile'] === undefined ? null : 'one';
}

/** Whose certificates are written in the other form than those of the defaults. */
function certificatesBeside(own: unknown): Path[] {
  const form = certificatesOf(own);
  if (form === 'list')
    return [
      ['tls', 'certFile'],
      ['tls', 'keyFile'],
    ];
  return form === 'one' ? [['tls', 'certificates']] : [];
}

/** A key for session tickets is either shared or replaced by itself. */
function ticketsOf(own: unknown): Path[] {
  if (!isMapping(own)) return [];
  return [
    ...(own['keyFile'] === undefined ? [] : [['tls', 'sessionTickets', 'rotate']]),
    ...(own['rotate'] === undefined ? [] : [['tls', 'sessionTickets', 'keyFile']]),
  ];
}

/** The preset that a listener names itself is nearer to it than the defaults. */
function presetOf(own: unknown): Path[] {
  const name = PRESET_NAMES.find(one => one === own);
  if (name === undefined) return [];
  const { numbers, trustedProxies } = PRESETS[name];
  return [
    ...Object.keys(numbers).map(id => id.split('.').slice(1)),
    ...(trustedProxies === null ? [] : [['trustedProxies']]),
    ['trustedHeaders'],
  ];
}

/** `enabled` is about the block itself, and a body of its own does not have the type of another one. */
export function notInheritedMaintenance(block: Mapping): ReadonlySet<string> {
  const hasPage = block['body'] !== undefined || block['bodyFile'] !== undefined;
  const keys = ['enabled', ...(hasPage ? ['body', 'bodyFile', 'contentType'] : [])];
  return new Set(keys.map(key => keyOf(['maintenance', key])));
}
