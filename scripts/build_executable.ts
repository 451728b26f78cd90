/**
 * Builds the single executable `dist-executable/fairlead` (or in the folder that is named): all of src/ and its
 * dependencies in one module, inside a copy of the Node that runs this script (Node's own facility, `node --build-sea`).
 * It needs nothing but the C library where it runs.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild-wasm';
import { PACKAGE_FILES } from '../src/lifecycle/package_files.ts';
import { PASSWORD_WORKER_ASSET } from '../src/lifecycle/password_worker_thread.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Packages in CommonJS ask for modules of Node by `require`, which a module does not have. */
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

async function buildExecutable(target: string): Promise<number> {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const bundle = join(target, 'fairlead.mjs');
  await build({
    entryPoints: [join(ROOT, 'src/main.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: `node${process.versions.node}`,
    banner: { js: REQUIRE },
    legalComments: 'inline', // the licences of what is inside go with it
    logLevel: 'warning',
  });
  const worker = join(target, PASSWORD_WORKER_ASSET);
  await build({
    entryPoints: [join(ROOT, 'src/security/password_worker.ts')],
    outfile: worker,
    bundle: true,
    platform: 'node',
    format: 'cjs', // the form of a thread that is started from a text
    target: `node${process.versions.node}`,
    legalComments: 'inline',
    logLevel: 'warning',
  });
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
      assets: {
        ...Object.fromEntries(PACKAGE_FILES.map(name => [name, join(ROOT, name)])),
        [PASSWORD_WORKER_ASSET]: worker,
      },
    }),
  );
  const { status } = spawnSync(process.execPath, ['--build-sea', settings], { stdio: 'inherit' });
  for (const file of [bundle, worker, settings]) rmSync(file);
  return status ?? 1;
}

process.exitCode = await buildExecutable(resolve(process.argv[2] ?? join(ROOT, 'dist-executable')));
