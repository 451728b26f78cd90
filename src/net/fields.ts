const NONE: readonly string[] = [];

/** The values of a field in a flat list (name, value, …), in order; empty if there is none. `name` is lower case. */
export function fieldValues(headers: readonly string[], name: string): readonly string[] {
  let values: string[] | null = null;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const candidate = headers[at] as string;
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
    values ??= [];
    values.push(headers[at + 1] as string);
  }
  return values ?? NONE;
}
