/** The version of this package, from its manifest: it lies beside `src` in a checkout and beside `dist` in a release. */
import { readFileSync } from 'node:fs';

let known: string | null = null;

export function readVersion(): string {
  known ??= String(
    (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: unknown })
      .version,
  );
  return known;
}
