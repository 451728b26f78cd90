/**
 * Builds the single executable `dist-executable/fairlead` (or in the folder that is named): all of src/ and its
 * dependencies in one module, inside a copy of the Node that runs this script (Node's own facility, `node --build-sea`).
 * It needs nothing but the C library where it runs.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild-wasm';
import { PACKAGE_FILES } from '../src/lifecycle/package_files.ts';
import { assetOf, THREAD_MODULES } from '../src/lifecycle/worker_thread.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Packages in CommonJS ask for modules of Node by `require`, which a module does not have. */
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

function bundleModule(entry: string, outfile: string, options: BuildOptions): Promise<unknown> {
  return build({
    entryPoints: [join(ROOT, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    target: `node${process.versions.node}`,
    legalComments: 'inline', // the licences of what is inside go with it
    logLevel: 'warning',
    ...options,
  });
}

async function buildExecutable(target: string): Promise<number> {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const bundle = join(target, 'fairlead.mjs');
  await bundleModule('src/main.ts', bundle, { format: 'esm', banner: { js: REQUIRE } });
  const threads = THREAD_MODULES.map(module => ({ module, file: join(target, assetOf(module)) }));
  // A thread that is started from a text is CommonJS.
  for (const { module, file } of threads) await bundleModule(`src/${module}.ts`, file, { format: 'cjs' });
  const settings = join(target, 'settings.json');
  writeFileSync(
    settings,
    JSON.stringify({
      main: bundle,
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
  for (const file of [bundle, settings]) rmSync(file);
  for (const { module } of threads) rmSync(join(target, dirname(module)), { recursive: true, force: true });
  return status ?? 1;
}

process.exitCode = await buildExecutable(resolve(process.argv[2] ?? join(ROOT, 'dist-executable')));
