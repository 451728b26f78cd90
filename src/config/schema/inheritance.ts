/**
 * Merges `defaults` into routes, clusters and listeners, and the `maintenance` of the top level into routes, before the schema
 * sees them. So everything after it works with whole items; the document remembers where each inherited value is written.
 *
 * One level, per setting: what the item does not say, the defaults say. A mapping is merged key by key; a list, a value and `off`
 * of the item replace what the defaults say. The edits of header fields are merged by field, in any case: a route that names a
 * field itself has none of the edits that the defaults have for it. What has no effect on an item is not inherited
 * (`not_inherited.ts`).
 */
import type { Problem } from '../problems.ts';
import type { Document } from '../text/document.ts';
import { keyOf, type Path } from '../text/path.ts';
import { VALUES_MAX } from '../text/variables.ts';
import { INHERITED_KEYS, ITEM_KINDS, type ItemKind } from './item_defaults.ts';
import { isMapping, type Mapping } from './mapping.ts';
import { notInherited, notInheritedMaintenance } from './not_inherited.ts';

interface Inherited {
  readonly document: Document;
  readonly problems: readonly Problem[];
}

export function inheritDefaults(document: Document): Inherited {
  const top = document.value;
  if (!isMapping(top)) return { document, problems: [] };
  const places: (readonly [Path, Path])[] = [];
  const value: Record<string, unknown> = { ...top };
  const defaults = isMapping(top['defaults']) ? top['defaults'] : {};
  for (const kind of ITEM_KINDS) {
    const written = defaults[kind];
    if (!isMapping(written)) continue;
    const from = onlyInherited(kind, written);
    const items = value[kind];
    if (countValues(from) * sizeOf(items) > VALUES_MAX) {
      const message = `defaults.${kind} would expand the file to more than ${VALUES_MAX} values`;
      const problem = document.problem('error', ['defaults', kind], message, { at: 'key' });
      return { document, problems: [problem] };
    }
    value[kind] = eachItem(items, (item, name) =>
      merge(
        item,
        from,
        { to: [kind, name], from: ['defaults', kind], inside: [] },
        notInherited(kind, item, from),
        places,
      ),
    );
  }
  value['routes'] = eachItem(value['routes'], (route, at) =>
    inheritMaintenance(route, top['maintenance'], ['routes', at], places),
  );
  if (places.length === 0) return { document, problems: [] };
  return { document: document.withInherited(value, places), problems: [] };
}

function onlyInherited(kind: ItemKind, written: Mapping): Mapping {
  return Object.fromEntries(Object.entries(written).filter(([key]) => INHERITED_KEYS[kind].has(key)));
}

/** Routes are a list; clusters and listeners have names. Anything else is refused by the schema. */
function eachItem(items: unknown, change: (item: Mapping, name: string | number) => Mapping): unknown {
  if (Array.isArray(items)) return items.map((item, at) => (isMapping(item) ? change(item, at) : item));
  if (!isMapping(items)) return items;
  const entries = Object.entries(items);
  return Object.fromEntries(
    entries.map(([name, item]) => [name, isMapping(item) ? change(item, name) : item]),
  );
}

function sizeOf(items: unknown): number {
  if (Array.isArray(items)) return items.length;
  return isMapping(items) ? Object.keys(items).length : 0;
}

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, inner) => sum + countValues(inner), 1);
}

interface Places {
  /** Of the item, or of a part of it. */
  readonly to: Path;
  /** Of the same part of the defaults. */
  readonly from: Path;
  /** The same part, from the item on. */
  readonly inside: Path;
}

function below({ to, from, inside }: Places, key: string): Places {
  return { to: [...to, key], from: [...from, key], inside: [...inside, key] };
}

/** `skipped`: the keys (`keyOf`) of what is not inherited. */
function merge(
  own: Mapping,
  from: Mapping,
  place: Places,
  skipped: ReadonlySet<string>,
  places: (readonly [Path, Path])[],
): Mapping {
  const merged: Record<string, unknown> = { ...own };
  const isFields = place.inside.at(-1) === 'headers';
  for (const [key, value] of Object.entries(from)) {
    const inner = below(place, key);
    if (skipped.has(keyOf(inner.inside))) continue;
    const name = Object.keys(own).find(
      one => one === key || (isFields && one.toLowerCase() === key.toLowerCase()),
    );
    const written = name === undefined ? undefined : own[name];
    if (isMapping(written) && isMapping(value)) {
      merged[key] = isEdits(inner.inside)
        ? mergeEdits(written, value, inner, places)
        : merge(written, value, inner, skipped, places);
    } else if (written === undefined && isMapping(value) && isPartlySkipped(inner.inside, skipped)) {
      const part = merge({}, value, inner, skipped, places);
      if (Object.keys(part).length > 0) merged[key] = part;
    } else if (written === undefined) {
      merged[key] = value;
      places.push([inner.to, inner.from]);
    }
  }
  return merged;
}

function isPartlySkipped(inside: Path, skipped: ReadonlySet<string>): boolean {
  const start = keyOf([...inside, '']);
  return [...skipped].some(path => path.startsWith(start));
}

function isEdits(inside: Path): boolean {
  return inside.length === 2 && inside[0] === 'headers';
}

function mergeEdits(own: Mapping, from: Mapping, place: Places, places: (readonly [Path, Path])[]): Mapping {
  const { set, add, remove } = own;
  const named = new Set(
    [...keysOf(set), ...keysOf(add), ...(Array.isArray(remove) ? remove : [])].map(lowerCase),
  );
  const merged: Record<string, unknown> = { ...own };
  for (const [key, value] of Object.entries(from)) {
    const inner = below(place, key);
    const written = own[key];
    if (written === undefined) places.push([inner.to, inner.from]);
    const note = (at: string | number, source: string | number) =>
      places.push([
        [...inner.to, at],
        [...inner.from, source],
      ]);
    if (key === 'remove' && Array.isArray(value) && (written === undefined || Array.isArray(written))) {
      const list: unknown[] = [...(written ?? [])];
      for (const [at, field] of value.entries()) {
        if (named.has(lowerCase(field))) continue;
        note(list.length, at);
        list.push(field);
      }
      merged[key] = list;
    } else if (isMapping(value) && (written === undefined || isMapping(written))) {
      const kept = Object.entries(value).filter(([field]) => !named.has(lowerCase(field)));
      for (const [field] of kept) note(field, field);
      merged[key] = { ...written, ...Object.fromEntries(kept) };
    } else if (written === undefined) merged[key] = value; // the schema refuses it
  }
  return merged;
}

function keysOf(fields: unknown): string[] {
  return isMapping(fields) ? Object.keys(fields) : [];
}

function lowerCase(field: unknown): string {
  return String(field).toLowerCase();
}

/** A route that forwards has the maintenance of the top level; a block of its own is completed by that, but for `enabled`. */
function inheritMaintenance(
  route: Mapping,
  top: unknown,
  to: Path,
  places: (readonly [Path, Path])[],
): Mapping {
  if (top === undefined || top === 'off') return route;
  const own = route['maintenance'];
  const place = { to: [...to, 'maintenance'], from: ['maintenance'], inside: ['maintenance'] };
  if (own === undefined) {
    if (route['forward'] === undefined) return route;
    places.push([place.to, place.from]);
    return { ...route, maintenance: top };
  }
  const block = own === 'on' ? {} : own;
  if (!isMapping(block) || !isMapping(top)) return route;
  return { ...route, maintenance: merge(block, top, place, notInheritedMaintenance(block), places) };
}
