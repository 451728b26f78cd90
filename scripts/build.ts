/**
 * Compiles src/ to dist/, or to the folder that is named: JavaScript that runs without the development
 * dependencies. What is not TypeScript is copied as it is.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

function build(target: string): number {
  rmSync(target, { recursive: true, force: true }); // a file that is gone from src must not live on
  const compiler = resolve(ROOT, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', resolve(ROOT, 'tsconfig.build.json'), '--outDir', target];
  const { status, error } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) return status ?? 1;
  cpSync(resolve(ROOT, 'src'), target, { recursive: true, filter: file => !file.endsWith('.ts') });
  return 0;
}

process.exitCode = build(resolve(process.argv[2] ?? resolve(ROOT, 'dist')));
