/**
 * What changes in meaning between two plans. The order of the file, its comments and values that are written out but equal
 * to their default change nothing.
 *
 * Each change has a class:
 *   live      takes effect at the swap; nobody notices
 *   drain     something that serves goes away: a listener, a cluster, an endpoint, or the way to a cluster. What is under way
 *             ends on it first
 *   restart   the process cannot change it while it runs; a reload with such a change is refused
 */
import { type Address, formatAddress } from '../net/address.ts';
import type { SlicedWork } from '../resilience/time_slices.ts';
import type { Plan } from './plan.ts';
import { maskPart, maskSecrets } from './shown_plan.ts';

export interface PlanChange {
  /** Path in the plan, as `fairlead plan` prints it; routes by name, endpoints by address. */
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly class: 'live' | 'drain' | 'restart';
  /** Masked where it is secret. Absent where the whole part was added. */
  readonly before?: unknown;
  /** Absent where the whole part was removed. */
  readonly after?: unknown;
}

export function* diffPlans(before: Plan, after: Plan): SlicedWork<PlanChange[]> {
  const changes: PlanChange[] = [];
  const add = (change: Omit<PlanChange, 'class'>) => changes.push({ ...change, class: classOf(change) });
  const [restBefore, restAfter] = [withoutItems(before), withoutItems(after)];
  compareParts(restBefore, restAfter, maskSecrets(restBefore), maskSecrets(restAfter), '', add);
  for (const kind of ITEMS) {
    const [itemsBefore, itemsAfter] = [partsOf(before[kind]), partsOf(after[kind])];
    for (const name of new Set([...itemsBefore.keys(), ...itemsAfter.keys()])) {
      yield;
      const sides = [itemsBefore.get(name), itemsAfter.get(name)] as const;
      if (isSame(...sides)) continue; // before a copy is masked: most of 10,000 routes are
      compareParts(...sides, maskPart(sides[0]), maskPart(sides[1]), `${kind}.${name}`, add);
    }
  }
  return changes;
}

/** What there may be thousands of. */
const ITEMS = ['listeners', 'routes', 'clusters'] as const;

function withoutItems(plan: Plan): Plan {
  return { ...plan, digest: '', listeners: {}, routes: [], clusters: {} };
}

function isSame(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}

/** `shown…`: the same as it may be shown. A secret that changes is a change, but its value is not told. */
function compareParts(
  before: unknown,
  after: unknown,
  shownBefore: unknown,
  shownAfter: unknown,
  path: string,
  add: (change: Omit<PlanChange, 'class'>) => void,
): void {
  if (isSame(before, after)) return;
  if (before === undefined) add({ path, change: 'added', after: shownAfter });
  else if (after === undefined) add({ path, change: 'removed', before: shownBefore });
  else if (!hasParts(before) || !hasParts(after))
    add({ path, change: 'changed', before: shownBefore, after: shownAfter });
  else {
    const [b, a, sb, sa] = [partsOf(before), partsOf(after), partsOf(shownBefore), partsOf(shownAfter)];
    for (const name of new Set([...b.keys(), ...a.keys()])) {
      const inner = path === '' ? name : `${path}.${name}`;
      compareParts(b.get(name), a.get(name), sb.get(name), sa.get(name), inner, add);
    }
  }
}

/** A mapping, or a list of things with a name or an address; anything else is compared as a whole. */
function hasParts(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every(item => identityOf(item) !== null);
  return typeof value === 'object' && value !== null;
}

function partsOf(value: unknown): ReadonlyMap<string, unknown> {
  if (Array.isArray(value)) return new Map(value.map(item => [identityOf(item) ?? '', item]));
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function identityOf(item: unknown): string | null {
  if (typeof item !== 'object' || item === null) return null;
  if ('name' in item && typeof item.name === 'string') return item.name;
  return 'address' in item ? formatAddress(item.address as Address) : null;
}

/** Parts of the plan that a running process cannot change about itself. */
const RESTART_PARTS = ['admin', 'logging.file'] as const;

const DRAINS: readonly RegExp[] = [
  /^listeners\.[^.]+$/,
  /^listeners\.[^.]+\.address(?:$|\.)/,
  /^clusters\.[^.]+$/,
  /^clusters\.[^.]+\.endpoints\.[^/]+$/,
  /^clusters\.[^.]+\.(?:endpoints|protocol|tls)(?:$|\.)/,
];

function classOf({ path, change }: Omit<PlanChange, 'class'>): PlanChange['class'] {
  if (RESTART_PARTS.some(part => path === part || path.startsWith(`${part}.`))) return 'restart';
  if (change === 'added') return 'live';
  return DRAINS.some(pattern => pattern.test(path)) ? 'drain' : 'live';
}

const VALUE_LENGTH_MAX = 80;

/** One line for a person: `drain    clusters.app.endpoints.10.0.0.1:80: removed`. */
export function describeChange({ path, change, class: kind, before, after }: PlanChange): string {
  const what = change === 'changed' ? `${shorten(before)} -> ${shorten(after)}` : change;
  return `${kind.padEnd('restart'.length)}  ${path}: ${what}`;
}

function shorten(value: unknown): string {
  if (value === undefined) return '...'; // too long to be kept
  const text = JSON.stringify(value);
  return text.length <= VALUE_LENGTH_MAX ? text : `${text.slice(0, VALUE_LENGTH_MAX)}...`;
}
