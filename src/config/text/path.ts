/** A path in a configuration or a plan: keys and indexes from the top. */

export type Path = readonly (string | number)[];

/** Looks at own keys only, so that `constructor` is found only where it is written. */
export function valueAt(value: unknown, path: Path): unknown {
  let inner = value;
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, key)) return undefined;
    inner = (inner as Readonly<Record<string | number, unknown>>)[key];
  }
  return inner;
}

/** A unique text for a path: parts are joined by a character that YAML forbids in them. */
export function keyOf(path: Path): string {
  return path.join('\u0000');
}
