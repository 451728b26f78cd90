/** Fairlead from its sources, with the smallest useful configuration: everything else is as by default. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { backendPort } from '../announce.ts';
import { freePort, runProgram } from '../external_program.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

await runProgram({ command: process.execPath, configure });

/** The contract's forward.yaml on other addresses. */
async function configure(folder: string, port: number): Promise<readonly string[]> {
  const text = `
version: 1
admin: { address: 127.0.0.1:${await freePort()} }
listeners:
  main: { address: 127.0.0.1:${port} }
routes:
  - name: all
    match: { path: { prefix: / } }
    forward: { cluster: app }
clusters:
  app:
    endpoints: [127.0.0.1:${backendPort()}]
`;
  const path = join(folder, 'forward.yaml');
  await writeFile(path, text);
  return ['--disable-warning=ExperimentalWarning', MAIN, 'run', '--config', path];
}
