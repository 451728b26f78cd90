/**
 * A real Redis server for a test: nothing on disk, on a port of its own on loopback. It can be stopped and come back on the
 * same port, and be made to hang.
 *
 *   await using redis = await startRedis();
 *   const config = { stores: { shared: { redis: redis.url() } } };
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatCommand, type Reply, ReplyReader } from '../../src/net/redis_reply.ts';
import { program } from './programs.ts';

export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  url(credentials?: string): string;
  /** Sends one command on a connection of its own; its reply. */
  command(...words: readonly string[]): Promise<Reply>;
  /** Connections of clients, without the one that asks. */
  clients(): Promise<number>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** On the same port, with nothing in it. */
  restart(): Promise<void>;
}

const ATTEMPTS_MAX = 10;

/** `args`: more of the command line, such as `--requirepass secret`. */
export async function startRedis(args: readonly string[] = [], secure = false): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-redis-'));
  let child: ChildProcess;
  let port = 0;
  const start = async (): Promise<boolean> => {
    const ports = secure ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port)];
    const started = spawn(
      program('redis-server'),
      [...ports, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, ...args],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    child = started;
    let said = '';
    return await new Promise(resolve => {
      started.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('Ready to accept connections')) resolve(true);
      });
      started.once('exit', () => resolve(false));
    });
  };
  const restart = async (): Promise<void> => {
    for (let attempt = 1; !(await start()); attempt++)
      if (attempt === ATTEMPTS_MAX) throw new Error(`redis-server does not start on port ${port}`);
  };
  for (let attempt = 1; ; attempt++) {
    port = await freePort();
    if (await start()) break;
    if (attempt === ATTEMPTS_MAX) throw new Error('redis-server does not start');
  }
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  const command = (...words: readonly string[]) => ask(port, words);
  return {
    port,
    url: (credentials = '') => `redis://${credentials}127.0.0.1:${port}`,
    command,
    async clients() {
      const list = String(await command('CLIENT', 'LIST'));
      return list.split('\n').filter(line => line !== '' && !line.includes('cmd=client')).length;
    },
    signal: signal => void child.kill(signal),
    kill,
    restart,
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

function ask(port: number, words: readonly string[]): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    const reader = new ReplyReader(reply => {
      socket.destroy();
      resolve(reply);
    });
    socket.on('data', (chunk: Buffer) => reader.take(chunk));
    socket.on('error', reject);
    socket.write(formatCommand(words));
  });
}
