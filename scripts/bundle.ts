/**
 * One way to bundle for everything that is installed (`build.ts`, `build_executable.ts`): src/ and the packages that it
 * needs, so that a start opens a few files instead of some six hundred (docs/performance.md, "Start").
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile } from 'esbuild-wasm';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Packages in CommonJS ask for modules of Node by `require`, which a module does not have. */
export const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Columns, so that a stack trace that names a line leads to a place that a person can read. */
const LINE_MAX = 120;

/** Resolves to what went in. Names are kept, because stack traces have them; comments and white space are not. */
export async function bundle(options: BuildOptions): Promise<Metafile> {
  const result = await build({
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: LINE_MAX,
    legalComments: 'none', // `licensesOf` has the whole texts
    logLevel: 'warning',
    ...options,
    metafile: true,
  });
  return result.metafile;
}

/** The licences of the packages that are inside, as their terms require for a copy. */
export function licensesOf(metafiles: readonly Metafile[]): string {
  const files = metafiles.flatMap(({ inputs }) => Object.keys(inputs));
  const folders = new Set(
    files.flatMap(file => file.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []),
  );
  return [...folders].toSorted().map(licenseOf).join('\n');
}

function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as {
    readonly [key in 'name' | 'version' | 'license']: string;
  };
  const file = readdirSync(join(ROOT, folder)).find(entry => /^(licen[cs]e|copying)(\.|$)/i.test(entry));
  const text = file === undefined ? '' : `\n${readFileSync(join(ROOT, folder, file), 'utf8').trim()}\n`;
  return `==== ${name} ${version}: ${license}\n${text}`;
}
