/**
 * Starts threads. The code of each is a module of src: a file beside this one in a checkout and in a package. The single
 * executable has no files and carries them as text.
 */
import { getAsset, isSea } from 'node:sea';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** `scripts/build_executable.ts` makes an asset of each, under `assetOf`. */
export const THREAD_MODULES = ['config/load_worker', 'security/password_worker'] as const;
type ThreadModule = (typeof THREAD_MODULES)[number];

export function assetOf(module: string): string {
  return `${module}.cjs`;
}

export function startThread(module: ThreadModule, options: WorkerOptions): Worker {
  if (isSea()) return new Worker(getAsset(assetOf(module), 'utf8'), { ...options, eval: true });
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`../${module}.${ending}`, import.meta.url), options);
}
