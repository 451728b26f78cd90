/**
 * Files that come with the program and are no code: its manifest, the configuration of the demo. In a checkout and in a
 * package they lie beside `src` or `dist`; in the single executable they are assets inside it.
 */
import { readFileSync } from 'node:fs';
import { getAsset, isSea } from 'node:sea';

/** What the single executable carries: `scripts/build_executable.ts` puts these in. */
export const PACKAGE_FILES = ['package.json', 'examples/demo.yaml'] as const;
type PackageFile = (typeof PACKAGE_FILES)[number];

export function readPackageFile(name: PackageFile): string {
  return isSea() ? getAsset(name, 'utf8') : readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}
