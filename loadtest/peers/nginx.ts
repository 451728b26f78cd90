/** nginx with one worker, connections kept to the backend, and no access log. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { announceAbsence, backendPort } from '../announce.ts';
import { findProgram, runProgram } from '../external_program.ts';

const command = findProgram('nginx');
if (command === undefined) announceAbsence('nginx is not installed');
else await runProgram({ command, configure });

async function configure(folder: string, port: number): Promise<readonly string[]> {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const text = `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 100000000;
  ${temporary.map(name => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  upstream app {
    server 127.0.0.1:${backendPort()};
    keepalive 256;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`;
  const path = join(folder, 'nginx.conf');
  await writeFile(path, text);
  return ['-p', folder, '-e', 'stderr', '-c', path];
}
