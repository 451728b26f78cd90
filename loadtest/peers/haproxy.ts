/** HAProxy with one thread, connections kept to the backend, and no log. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { announceAbsence, backendPort } from '../announce.ts';
import { findProgram, runProgram } from '../external_program.ts';

const command = findProgram('haproxy');
if (command === undefined) announceAbsence('haproxy is not installed');
else await runProgram({ command, configure });

async function configure(folder: string, port: number): Promise<readonly string[]> {
  const text = `
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option forwardfor
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend main
  bind 127.0.0.1:${port}
  default_backend app
backend app
  server a 127.0.0.1:${backendPort()}
`;
  const path = join(folder, 'haproxy.cfg');
  await writeFile(path, text);
  return ['-db', '-f', path];
}
