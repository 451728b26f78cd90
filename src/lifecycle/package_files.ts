/**
 * Files of the package other than code: its manifest, the configuration of the demo and the reasons. In a checkout and in a
 * package they are beside `src` or `dist`; in the single executable they are assets.
 */
import { readFileSync } from 'node:fs';
import { getAsset, isSea } from 'node:sea';

/** The files that `scripts/build_executable.ts` embeds. */
export const PACKAGE_FILES = ['package.json', 'examples/demo.yaml', 'docs/reasons.md'] as const;
type PackageFile = (typeof PACKAGE_FILES)[number];

export function readPackageFile(name: PackageFile): string {
  return isSea() ? getAsset(name, 'utf8') : readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}
