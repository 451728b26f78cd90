/** Like `findHeader` of security/, which this folder may not import: the value, several joined by a comma; null: none. */
export function fieldOf(headers: readonly string[], name: string): string | null {
  let found: string | null = null;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const candidate = headers[at] as string;
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
    const value = headers[at + 1] as string;
    found = found === null ? value : `${found}, ${value}`;
  }
  return found;
}
