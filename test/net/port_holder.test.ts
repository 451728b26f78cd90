/** Who listens on an address: by the tables of a made-up /proc, and once by the real one. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseAddress } from '../../src/net/address.ts';
import { findPortHolder } from '../../src/net/port_holder.ts';

const proc = mkdtempSync(join(tmpdir(), 'fairlead-proc-'));
after(() => rmSync(proc, { recursive: true }));

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (local: string, state: string, inode: number) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0\n`;
const ZERO = '0'.repeat(32);

mkdirSync(join(proc, 'net'));
writeFileSync(
  join(proc, 'net/tcp'),
  HEAD +
    row('0100007F:1F90', '0A', 11) + // 127.0.0.1:8080
    row('0100007F:1F91', '01', 12) + // 127.0.0.1:8081, a connection
    row('00000000:1F92', '0A', 13), // 0.0.0.0:8082
);
writeFileSync(join(proc, 'net/tcp6'), HEAD + row(`${ZERO}:1F93`, '0A', 14)); // [::]:8083
writeFileSync(
  join(proc, 'net/unix'),
  'Num       RefCount Protocol Flags    Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 0001 01 15 /run/app.sock\n',
);
for (const [pid, comm, inodes] of [
  [100, 'nginx', [11, 12]],
  [200, 'caddy', [13, 14, 15]],
] as const) {
  mkdirSync(join(proc, String(pid), 'fd'), { recursive: true });
  writeFileSync(join(proc, String(pid), 'comm'), `${comm}\n`);
  symlinkSync('/dev/null', join(proc, String(pid), 'fd/0'));
  for (const [at, inode] of inodes.entries())
    symlinkSync(`socket:[${inode}]`, join(proc, String(pid), 'fd', String(at + 3)));
}

async function holder(text: string, folder = proc): Promise<string | null> {
  const address = parseAddress(text);
  assert(typeof address !== 'string');
  const found = await findPortHolder(address, folder);
  return found === null ? null : `${found.command} ${found.pid}`;
}

test('a listener on the same address or on every address is the holder', async () => {
  assert.equal(await holder('127.0.0.1:8080'), 'nginx 100');
  assert.equal(await holder('0.0.0.0:8080'), 'nginx 100', 'every address includes that one');
  assert.equal(await holder('10.0.0.1:8082'), 'caddy 200', 'it listens on every address');
  assert.equal(await holder('127.0.0.1:8083'), 'caddy 200', '[::] takes IPv4 too');
  assert.equal(await holder('unix:/run/app.sock'), 'caddy 200');
});

test('a connection, another address and another port hold nothing', async () => {
  assert.equal(await holder('127.0.0.1:8081'), null);
  assert.equal(await holder('10.0.0.1:8080'), null);
  assert.equal(await holder('127.0.0.1:80'), null);
  assert.equal(await holder('unix:/run/other.sock'), null);
});

test('a system without /proc does not say', async () => {
  assert.equal(await holder('127.0.0.1:8080', '/nowhere'), null);
});

test('the search gives up after a second: a reload waits for it', async () => {
  const address = { kind: 'tcp', host: '127.0.0.1', port: 8080 } as const;
  const times = (...ms: number[]) => ({ nowMs: () => ms.shift() ?? 1_000 });
  assert.equal(await findPortHolder(address, proc, times(0)), null, 'before it looks at any process');
  assert.equal(
    await findPortHolder(address, proc, times(0, 0)),
    null,
    'before the descriptors of the first one',
  );
  assert.equal((await findPortHolder(address, proc, times(0, 999, 999)))?.pid, 100, 'and not before');
});

test('the real /proc names this process', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, async () => {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const found = await findPortHolder({ kind: 'tcp', host: '127.0.0.1', port }, '/proc', { nowMs: () => 0 });
  assert.equal(found?.pid, process.pid);
  await new Promise(resolve => server.close(resolve));
  assert.equal(await findPortHolder({ kind: 'tcp', host: '127.0.0.1', port }), null);
});
