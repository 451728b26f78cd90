// Taking an address: what a crashed process left behind is in nobody's way, and what is somebody's is never touched.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bind, boundAddress, removeStaleSocket } from '../../src/net/bind.ts';
import { checkLeaks } from '../support/leak_check.ts';

checkLeaks();

async function inFolder(use: (path: (name: string) => string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-bind-'));
  try {
    await use(name => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function listening(path: string): Promise<AsyncDisposable & { readonly server: net.Server }> {
  const server = net.createServer();
  await bind(server, { kind: 'unix', path }, {});
  const close = () => new Promise<void>(resolve => server.close(() => resolve()));
  return { server, [Symbol.asyncDispose]: close };
}

/** Why the path cannot be listened on; empty: it can. */
async function refusalOf(path: string): Promise<string> {
  try {
    await using _ = await listening(path);
    return '';
  } catch (error) {
    return String(error);
  }
}

/** The file of a process that died: nobody listens, and nobody has removed it. */
async function leaveStaleSocket(path: string): Promise<void> {
  await using _ = await listening(`${path}.first`);
  renameSync(`${path}.first`, path);
}

test('the socket file of a process that died is taken over', () =>
  inFolder(async path => {
    const socket = path('proxy.sock');
    await leaveStaleSocket(socket);
    assert.ok(existsSync(socket));
    await using taken = await listening(socket);
    assert.equal(boundAddress(taken.server, { kind: 'unix', path: socket }), `unix:${socket}`);
  }));

test('a socket that somebody answers on is not taken, and the message says who', () =>
  inFolder(async path => {
    const socket = path('proxy.sock');
    await using _ = await listening(socket);
    assert.match(
      await refusalOf(socket),
      /cannot listen on unix:.*proxy\.sock: this process uses it already/,
    );
    assert.equal(await removeStaleSocket(socket), false);
    assert.ok(existsSync(socket));
  }));

test('a file that is no socket is never removed', () =>
  inFolder(async path => {
    writeFileSync(path('data'), 'precious');
    assert.match(await refusalOf(path('data')), /another process uses it/);
    assert.equal(readFileSync(path('data'), 'utf8'), 'precious');
    assert.equal(await removeStaleSocket(path('nothing')), false);
  }));

test('an address that this machine does not have, and a missing folder, have their own messages', async () => {
  const elsewhere = bind(net.createServer(), { kind: 'tcp', host: '192.0.2.1', port: 0 }, {});
  await assert.rejects(elsewhere, /192\.0\.2\.1:0: this machine has no such address/);
  const nowhere = bind(net.createServer(), { kind: 'unix', path: '/no/such/folder/a.sock' }, {});
  await assert.rejects(nowhere, /the directory of the socket does not exist|permission denied/);
});

test('port 0 is reported as the port that was assigned', async () => {
  const server = net.createServer();
  await bind(server, { kind: 'tcp', host: '127.0.0.1', port: 0 }, {});
  assert.match(boundAddress(server, { kind: 'tcp', host: '127.0.0.1', port: 0 }), /^127\.0\.0\.1:[1-9]\d*$/);
  await new Promise(resolve => server.close(resolve));
});

test('without IPv6 on the machine, every address means every one of IPv4', async t => {
  const asked: unknown[] = [];
  class WithoutIpv6 extends net.Server {
    override listen(...args: unknown[]): this {
      const [options, onListening] = args as [net.ListenOptions, () => void];
      asked.push(options.host);
      if (options.host === '::')
        process.nextTick(() => this.emit('error', Object.assign(new Error('no'), { code: 'EAFNOSUPPORT' })));
      else super.listen(options, onListening);
      return this;
    }
  }
  const server = new WithoutIpv6();
  t.after(() => server.close());
  await bind(server, { kind: 'tcp', host: '::', port: 0 }, {});
  assert.deepEqual(asked, ['::', '0.0.0.0']);
  assert.match(boundAddress(server, { kind: 'tcp', host: '::', port: 0 }), /^0\.0\.0\.0:\d+$/);
});
