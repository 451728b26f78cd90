/** nginx or HAProxy with a configuration of a test, on ports that it has found free. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Program, program } from './programs.ts';

const run = promisify(execFile);

export interface ForeignProxy {
  readonly program: Program;
  /** The whole configuration. `folder` is its own, for temporary files. */
  readonly config: (folder: string) => string;
  /** What it listens on. */
  readonly ports: readonly number[];
}

/** Its own check of the configuration passes, and it serves while `use` runs. */
export async function withForeignProxy(
  { program: name, config, ports }: ForeignProxy,
  use: () => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), `fairlead-${name}-`));
  mkdirSync(join(folder, 'logs'));
  const file = join(folder, 'config');
  writeFileSync(file, config(folder));
  const [check, start] =
    name === 'nginx'
      ? [
          ['-t', '-q', '-e', 'stderr', '-p', folder, '-c', file],
          ['-e', 'stderr', '-p', folder, '-c', file],
        ]
      : [
          ['-c', '-q', '-f', file],
          ['-db', '-f', file],
        ];
  try {
    await run(program(name), check ?? []);
    const child = spawn(program(name), start ?? [], { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    const ended = once(child, 'close');
    try {
      for (const port of ports) {
        while (!(await answers(port))) {
          if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${errors}`);
          await new Promise(resolve => setTimeout(resolve, 20));
        }
      }
      await use();
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** nginx in the foreground, one process, with these lines in its `http` block. */
export function nginxConfig(folder: string, http: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; master_process off; pid ${folder}/pid; error_log stderr error;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.map(name => `${name}_temp_path ${folder}/${name};`).join(' ')}
${http}
}
`;
}
