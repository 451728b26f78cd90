/** The version of this package, from its manifest. */
import { readPackageFile } from './package_files.ts';

let known: string | null = null;

export function readVersion(): string {
  known ??= String((JSON.parse(readPackageFile('package.json')) as { version: unknown }).version);
  return known;
}
