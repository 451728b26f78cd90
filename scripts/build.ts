/**
 * Builds dist/, or the folder that is named: JavaScript that runs with Node alone. Packages are inside; `licenses.txt` has
 * their licences.
 *
 *   main.js        the entry
 *   chunks/        what a command loads when it runs, and what several of them share
 *   config/, security/    the threads, where `src/lifecycle/worker_thread.ts` looks for them
 *
 * Files in chunks/ are as deep as those of src/lifecycle/, so that `../../package.json` is the same file from both.
 * Types are checked by `npm run check`, not here.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { THREAD_MODULES } from '../src/lifecycle/worker_thread.ts';
import { bundle, licensesOf, REQUIRE, ROOT } from './bundle.ts';

/** The oldest that `bin/fairlead.js` accepts. */
const NODE_MIN = 'node24';

async function buildDist(target: string): Promise<void> {
  rmSync(target, { recursive: true, force: true }); // a file that is gone from src must not live on
  const metafile = await bundle({
    entryPoints: Object.fromEntries(['main', ...THREAD_MODULES].map(name => [name, `src/${name}.ts`])),
    outdir: target,
    format: 'esm',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    target: NODE_MIN,
    banner: { js: REQUIRE },
  });
  writeFileSync(join(target, 'licenses.txt'), licensesOf([metafile]));
}

await buildDist(resolve(process.argv[2] ?? join(ROOT, 'dist')));
