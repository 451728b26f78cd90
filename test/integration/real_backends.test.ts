/** In front of servers, and behind a client, that we have not written: nginx, Python, curl, h2load. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as certificates from '../support/certificates.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { needs, program } from '../support/programs.ts';
import { type ProxyProcess, startProxyProcess } from '../support/proxy_under_test.ts';
import { connectRaw, formatRequest } from '../support/raw_client.ts';
import { closedPort } from '../support/scripted_backend.ts';

checkLeaks();

const run = promisify(execFile);
const MIB = 1024 * 1024;
const GIB_BYTES = 1024 * MIB;

async function curl(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(program('curl'), ['--silent', '--show-error', '--max-time', '60', ...args]);
  return stdout;
}

/** Long texts are not shown in full. */
function assertSame(got: string, wanted: string): void {
  assert.ok(got === wanted, `${got.length} characters instead of ${wanted.length}: ${got.slice(0, 300)}`);
}

/** A server of somebody else: started, waited for until its port answers, and killed at the end. */
async function withProgram(
  command: string,
  args: readonly string[],
  port: number,
  use: () => Promise<void>,
): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise(resolve => child.on('close', resolve));
  try {
    await answering(port, child);
    await use();
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

async function answering(port: number, child: ChildProcess): Promise<void> {
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  while (!(await canConnect(port))) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${errors}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

test('nginx behind, curl before: HTTP/1.1, HTTP/2 over TLS, h2c', needs('nginx', 'curl'), async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-nginx-'));
  const port = await closedPort();
  mkdirSync(join(folder, 'www'), { mode: 0o755 });
  const page = 'from nginx\n'.repeat(1_000);
  writeFileSync(join(folder, 'www/page.txt'), page);
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
     events { worker_connections 64; }
     http { access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
            uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
            server { listen 127.0.0.1:${port}; root ${folder}/www; } }`,
  );
  const { certFile, keyFile } = certificates.server;
  const secure = { address: '127.0.0.1:0', tls: { certificates: [{ certFile, keyFile }] } };
  try {
    await withProgram(program('nginx'), ['-c', join(folder, 'nginx.conf'), '-p', folder], port, async () => {
      const config = forwardTo([`127.0.0.1:${port}`], { listener: { h2c: true }, listeners: { secure } });
      await using proxy = await startProxyProcess(config);
      const plain = `http://127.0.0.1:${proxy.target().port}/page.txt`;
      const tlsPort = proxy.target('secure').port;
      const tls = ['--cacert', certificates.caFile, `https://localhost:${tlsPort}/page.txt`];
      assertSame(await curl('--http1.1', plain), page);
      assertSame(await curl('--http2-prior-knowledge', plain), page);
      assertSame(await curl('--http2', ...tls), page);
      assertSame(await curl('--http1.1', ...tls), page);
      assert.equal(await curl('--range', '0-9', plain), 'from nginx');
      const versions = ['HTTP/1.1', 'HTTP/2.0', 'HTTP/2.0', 'HTTP/1.1', 'HTTP/1.1'];
      await proxy.lines.next({ path: '/page.txt' }, 5);
      assert.deepEqual(
        proxy.lines.find({ path: '/page.txt' }).map(line => line.protocol),
        versions,
      );
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test(
  'Python behind: answers that end with the connection arrive whole',
  needs('python3', 'curl'),
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-python-'));
    const port = await closedPort();
    const text = 'from python\n'.repeat(10_000);
    writeFileSync(join(folder, 'page.txt'), text);
    const args = ['-m', 'http.server', String(port), '--bind', '127.0.0.1', '--directory', folder];
    try {
      await withProgram(program('python3'), args, port, async () => {
        await using proxy = await startProxyProcess(forwardTo([`127.0.0.1:${port}`]));
        const base = `http://127.0.0.1:${proxy.target().port}`;
        assertSame(await curl(`${base}/page.txt`), text);
        assert.equal(
          await curl('--output', '/dev/null', '--write-out', '%{http_code}', `${base}/nothing`),
          '404',
        );
        for (let count = 0; count < 10; count++) assertSame(await curl(`${base}/page.txt`), text);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test('h2load: 2,000 requests over HTTP/2, many at once, all answered', needs('h2load'), async () => {
  const backend = await serve((_, response) => response.end('ok'));
  try {
    await using proxy = await startProxyProcess(
      forwardTo([`127.0.0.1:${backend.port}`], { listener: { h2c: true }, logging: { access: 'off' } }),
    );
    const url = `http://127.0.0.1:${proxy.target().port}/`;
    const { stdout } = await run(program('h2load'), ['-n', '2000', '-c', '4', '-m', '16', url]);
    assert.match(stdout, /2000 succeeded, 0 failed, 0 errored/, stdout);
  } finally {
    await backend.close();
  }
});

/** Resident memory of a process, now. */
function residentBytes({ pid }: ProxyProcess): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** The peak since the start. */
function peakBytes({ pid }: ProxyProcess): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Of the buffers that wait for the collector; the peak depends on its mood, but not on the size of the body. */
const GROWTH_BYTES_MAX = 64 * MIB;

test('1 GiB up and 1 GiB down cost no more memory than 128 MiB', needs('curl'), async () => {
  const backend = await serve((request, response) => {
    if (request.method === 'GET') {
      pour(response, Number(request.url?.slice(1)));
      return;
    }
    let received = 0;
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    request.on('end', () => response.end(String(received)));
  });
  try {
    await using proxy = await startProxyProcess(
      forwardTo([`127.0.0.1:${backend.port}`], {
        listener: { limits: { bodyBytes: 'off' }, timeouts: { request: 'off' } },
      }),
    );
    const url = `http://127.0.0.1:${proxy.target().port}`;
    const upAndDown = async (bytes: number) => {
      const upload = `head -c ${bytes} /dev/zero | ${program('curl')} --silent --show-error --max-time 100 -T - ${url}/`;
      assert.equal((await run('sh', ['-c', upload])).stdout, String(bytes));
      const download = ['--output', '/dev/null', '--write-out', '%{size_download}', `${url}/${bytes}`];
      assert.equal(await curl(...download), String(bytes));
      return peakBytes(proxy);
    };
    const small = await upAndDown(128 * MIB);
    const large = await upAndDown(GIB_BYTES);
    const facts = `peak ${Math.round(small / MIB)} MiB after 128 MiB, ${Math.round(large / MIB)} MiB after 1 GiB`;
    assert.ok(large - small < GROWTH_BYTES_MAX, facts);
  } finally {
    await backend.close();
  }
});

test('a client that reads slowly costs no memory, and slows the backend down', async () => {
  let poured = 0;
  const backend = await serve((_, response) => {
    pour(response, GIB_BYTES, bytes => {
      poured += bytes;
    });
  });
  try {
    await using proxy = await startProxyProcess(forwardTo([`127.0.0.1:${backend.port}`]));
    const before = residentBytes(proxy);
    const client = await connectRaw(proxy.target());
    void client.send(formatRequest('/'));
    assert.equal((await client.head()).status, 200);
    for (let read = 0; read < 8 * MIB; read += 64 * 1024) {
      await client.reader.exactly(64 * 1024);
      if (read % MIB === 0) await new Promise(resolve => setTimeout(resolve, 50));
    }
    assert.ok(poured < 8 * MIB + 64 * MIB, `the backend was held back at ${Math.round(poured / MIB)} MiB`);
    const grown = peakBytes(proxy) - before;
    assert.ok(grown < GROWTH_BYTES_MAX, `grew by ${Math.round(grown / MIB)} MiB`);
    client.reset();
    assert.equal((await proxy.lines.next({ path: '/' })).reason, 'client_gone');
  } finally {
    await backend.close();
  }
});

const PIECE = Buffer.alloc(256 * 1024);

/** So many bytes, a multiple of the piece, at the pace of the reader. */
function pour(response: ServerResponse, bytes: number, onBytes: (bytes: number) => void = () => {}): void {
  response.setHeader('content-length', bytes);
  let left = bytes;
  const go = () => {
    while (left > 0 && !response.destroyed) {
      left -= PIECE.length;
      onBytes(PIECE.length);
      if (!response.write(PIECE)) return;
    }
    response.end();
  };
  response.on('drain', go);
  go();
}

async function serve(answer: RequestListener): Promise<{ port: number; close(): Promise<void> }> {
  const server: Server = createServer(answer);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
