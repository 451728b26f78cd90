/**
 * Builds the single executable `dist-executable/fairlead` (or in the folder that is named): all of src/ and its
 * dependencies in one module, inside a copy of the Node that runs this script (Node's own facility, `node --build-sea`).
 * It needs nothing but the C library where it runs; `licenses.txt` beside it has the licences of the packages.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { PACKAGE_FILES } from '../src/lifecycle/package_files.ts';
import { assetOf, THREAD_MODULES } from '../src/lifecycle/worker_thread.ts';
import { bundle, licensesOf, REQUIRE, ROOT } from './bundle.ts';

const TARGET = `node${process.versions.node}`;

async function buildExecutable(target: string): Promise<number> {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const main = join(target, 'fairlead.mjs');
  const metafiles = [
    await bundle({
      entryPoints: ['src/main.ts'],
      outfile: main,
      format: 'esm',
      target: TARGET,
      banner: { js: REQUIRE },
    }),
  ];
  const threads = THREAD_MODULES.map(module => ({ module, file: join(target, assetOf(module)) }));
  // A thread that is started from a text is CommonJS.
  for (const { module, file } of threads)
    metafiles.push(
      await bundle({ entryPoints: [`src/${module}.ts`], outfile: file, format: 'cjs', target: TARGET }),
    );
  writeFileSync(join(target, 'licenses.txt'), licensesOf(metafiles));
  const settings = join(target, 'settings.json');
  writeFileSync(
    settings,
    JSON.stringify({
      main,
      mainFormat: 'module',
      output: join(target, 'fairlead'),
      disableExperimentalSEAWarning: true,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      execArgvExtension: 'none', // NODE_OPTIONS of whoever starts it are not for it
      assets: Object.fromEntries([
        ...PACKAGE_FILES.map(name => [name, join(ROOT, name)]),
        ...threads.map(({ module, file }) => [assetOf(module), file]),
      ]),
    }),
  );
  const { status } = spawnSync(process.execPath, ['--build-sea', settings], { stdio: 'inherit' });
  for (const file of [main, settings]) rmSync(file);
  for (const { module } of threads) rmSync(join(target, dirname(module)), { recursive: true, force: true });
  return status ?? 1;
}

process.exitCode = await buildExecutable(resolve(process.argv[2] ?? join(ROOT, 'dist-executable')));
