/**
 * Keeps the usable part of a configuration that the schema refuses: wrong parts are removed, so that the rest can
 * still be checked and one run shows everything. Removed paths are remembered, because nothing may be concluded from
 * their absence.
 */
import { keyOf, type Path, valueAt } from '../text/path.ts';

export class PartialParse {
  readonly value: unknown;
  /** By their first two parts, because each of ten thousand routes may have lost something. */
  readonly #lost = new Map<string, Path[]>();

  /** `value` is modified. */
  constructor(value: unknown) {
    this.value = value;
  }

  /** Removes exactly this key or item; nothing else depends on it. */
  remove(path: Path): void {
    const parent = valueAt(this.value, path.slice(0, -1));
    const key = path.at(-1);
    if (Array.isArray(parent) && typeof key === 'number') parent.splice(key);
    else if (typeof parent === 'object' && parent !== null && key !== undefined) {
      delete (parent as Record<string | number, unknown>)[key];
    }
  }

  /** Marks a path whose intended value is unknown. */
  markLost(path: Path): void {
    const key = keyOf(path.slice(0, 2));
    const known = this.#lost.get(key);
    if (known === undefined) this.#lost.set(key, [path]);
    else known.push(path);
  }

  /** Removes the setting that a path belongs to, or replaces it with a harmless stub if it is required. */
  cut(path: Path): void {
    const place = settingOf(path);
    this.markLost(place);
    const stub = stubFor(place);
    const parent = valueAt(this.value, place.slice(0, -1));
    const key = place.at(-1);
    if (typeof parent !== 'object' || parent === null || key === undefined) return;
    if (stub === undefined) delete (parent as Record<string | number, unknown>)[key];
    else (parent as Record<string | number, unknown>)[key] = stub;
  }

  isLost(...paths: readonly Path[]): boolean {
    return paths.some(path => this.#near(path).some(lost => isWithin(lost, path) || isWithin(path, lost)));
  }

  /** All that can be within the path or around it. */
  #near(path: Path): readonly Path[] {
    if (path.length < 2) return [...this.#lost.values()].flat();
    const [whole, part] = [path.slice(0, 1), path.slice(0, 2)].map(key => this.#lost.get(keyOf(key)) ?? []);
    return [...(whole ?? []), ...(part ?? []), ...(this.#lost.get('') ?? [])];
  }
}

function isWithin(inner: Path, outer: Path): boolean {
  return outer.every((part, at) => inner[at] === part);
}

/** `routes[3].match.hosts[1]` belongs to `routes[3].match`. */
function settingOf(path: Path): Path {
  const isItem = path[0] === 'routes' || path[0] === 'listeners' || path[0] === 'clusters';
  return path.slice(0, isItem ? 3 : 2);
}

/** `.invalid` never resolves (RFC 6761 section 6.4), and nothing listens on these addresses. */
function stubFor(path: Path): unknown {
  const [part, name, key] = path;
  if (path.length === 1) return { version: 1, listeners: {}, routes: [] }[String(part)];
  const address = `fd:lost-${name}`;
  const endpoints = ['lost.invalid:1'];
  const route = `lost-${name}`;
  if (part === 'listeners') return key === undefined ? { address } : { address }[String(key)];
  if (part === 'clusters') return key === undefined ? { endpoints } : { endpoints }[String(key)];
  if (part === 'routes')
    return key === undefined ? { name: route, respond: { status: 200 } } : { name: route }[String(key)];
  return undefined;
}
