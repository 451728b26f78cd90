/** The release as it is installed: compiled, with its production dependencies and nothing of development. */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './proxy_under_test.ts';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
}

/** Paths of the packages that the release needs, `node_modules/…`; those inside others come with them. */
export function productionPackages(): string[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true && path.lastIndexOf('node_modules/') === 0)
    .map(([path]) => path);
}

/** Compiles into `folder/dist`. */
export function buildDist(folder: string): void {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.ts'), join(folder, 'dist')], { cwd: ROOT });
}

/** `dist`, `node_modules` and `package.json` in the folder. */
export function installRelease(folder: string): void {
  buildDist(folder);
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  copyProductionPackages(folder);
}

export function copyProductionPackages(folder: string): void {
  for (const path of productionPackages())
    cpSync(join(ROOT, path), join(folder, path), { recursive: true, dereference: true });
}
