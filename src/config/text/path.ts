/** A place in a configuration or a plan: keys and indexes from the top. */

export type Path = readonly (string | number)[];

/** By own keys only: `constructor` is in no configuration that does not say so. */
export function valueAt(value: unknown, path: Path): unknown {
  let inner = value;
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, key)) return undefined;
    inner = (inner as Readonly<Record<string | number, unknown>>)[key];
  }
  return inner;
}

/** The same path gives the same text: parts are joined by a character that YAML forbids in one. */
export function keyOf(path: Path): string {
  return path.join('\u0000');
}
