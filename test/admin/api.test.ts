import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AdminAddress } from '../../src/admin/admin_interfaces.ts';
import { openAdminApi } from '../../src/admin/api.ts';
import { systemClock } from '../../src/resilience/clock.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { LOCAL, viewWith, withApi } from './open_api.ts';

checkLeaks();

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-admin-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('readiness says no with 503 and every reason', () =>
  withApi(viewWith({ readiness: () => ({ ready: false, reasons: ['a', 'b'] }) }), async ask => {
    const answer = await ask('/readyz');
    assert.equal(answer.status, 503);
    assert.deepEqual(JSON.parse(answer.text), { ready: false, reasons: ['a', 'b'] });
    assert.equal((await ask('/livez')).status, 200, 'alive all the same');
  }));

test('the scraper says which format it wants', () =>
  withApi(viewWith(), async ask => {
    const headers = [...LOCAL, 'Accept', 'application/openmetrics-text'];
    assert.equal((await ask('/metrics', { headers })).text, 'accept: application/openmetrics-text\n');
  }));

test('what changes something is done by POST only', async () => {
  const done: string[] = [];
  const view = viewWith({
    reload: async () => {
      done.push('reload');
      return { kind: 'rejected', digest: 'd', problems: ['bad'] };
    },
    drain: () => void done.push('drain'),
  });
  await withApi(view, async ask => {
    for (const path of ['/reload', '/drain']) {
      for (const method of ['GET', 'HEAD', 'PUT', 'DELETE'])
        assert.equal((await ask(path, { method })).status, 404, `${method} ${path}`);
    }
    assert.deepEqual(done, []);
    const rejected = await ask('/reload', { method: 'POST' });
    assert.equal(rejected.status, 422);
    assert.deepEqual(JSON.parse(rejected.text).problems, ['bad']);
    assert.equal((await ask('/drain', { method: 'POST' })).status, 202);
    assert.deepEqual(done, ['reload', 'drain']);
  });
});

test('a POST is read whatever its content type, and a body that is too large is refused', () =>
  withApi(viewWith(), async ask => {
    const post = (type: string, body: string) =>
      ask('/reload', { method: 'POST', headers: [...LOCAL, 'Content-Type', type], body });
    assert.equal((await post('application/x-www-form-urlencoded', '')).status, 200, "curl -d ''");
    assert.equal((await post('application/json', '{')).status, 200);
    const large = await post('text/plain', 'x'.repeat(64 * 1_024 + 1));
    assert.equal(large.status, 413);
    assert.equal(typeof JSON.parse(large.text).error, 'string');
  }));

test('only its own names are the Host of the admin API', () =>
  withApi(viewWith(), async ask => {
    for (const host of ['localhost', 'LOCALHOST:9901', '127.0.0.1:1', '[::1]:9901', '[::1]'])
      assert.equal((await ask('/status', { headers: ['Host', host] })).status, 200, host);
    for (const host of [
      'evil.test',
      'localhost.evil.test',
      '127.0.0.1.evil.test:9901',
      '127.0.0.2',
      'x@localhost',
    ])
      assert.equal((await ask('/status', { headers: ['Host', host] })).status, 421, host);
  }));

test('a page from elsewhere may not ask, also one from another port of this machine', async () => {
  let drained = false;
  const view = viewWith({
    drain: () => {
      drained = true;
    },
  });
  await withApi(view, async ask => {
    const from = (origin: string) =>
      ask('/drain', { method: 'POST', headers: ['Host', 'localhost:9901', 'Origin', origin] });
    for (const origin of [
      'http://evil.test',
      'http://localhost:3000',
      'http://localhost',
      'https://localhost:9901',
      'null',
    ])
      assert.equal((await from(origin)).status, 403, origin);
    assert.equal(drained, false);
    assert.equal((await from('http://localhost:9901')).status, 202, 'its own page may');
  });
});

test('an error of the proxy is JSON', () =>
  withApi(
    viewWith({
      status: () => {
        throw new Error('broken');
      },
    }),
    async ask => {
      const answer = await ask('/status');
      assert.equal(answer.status, 500);
      assert.deepEqual(JSON.parse(answer.text), { error: 'broken' });
      assert.equal(typeof JSON.parse((await ask('/nothing')).text).error, 'string');
    },
  ));

test('the Unix socket is for the user of the process alone, and gone at the end', () =>
  withFolder(async folder => {
    const path = join(folder, 'admin.sock');
    const api = await openAdminApi({ kind: 'unix', path }, null, systemClock, viewWith(), viewWith());
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal((await fetchRaw({ path }, '/livez', { headers: ['Host', 'anything'] })).status, 200);
    await api.close('clean');
    assert.equal(existsSync(path), false);
  }));

test('a socket that a killed process left behind is replaced', () =>
  withFolder(async folder => {
    const path = join(folder, 'admin.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    assert.equal(statSync(path).isSocket(), true);
    const api = await openAdminApi({ kind: 'unix', path }, null, systemClock, viewWith(), viewWith());
    assert.equal((await fetchRaw({ path }, '/livez', { headers: LOCAL })).status, 200);
    await api.close('clean');
  }));

test('a file or socket in use at the admin address is left alone', () =>
  withFolder(async folder => {
    const open = (address: AdminAddress) => openAdminApi(address, null, systemClock, viewWith(), viewWith());
    const path = join(folder, 'admin.sock');
    const first = await open({ kind: 'unix', path });
    await assert.rejects(open({ kind: 'unix', path }), /EADDRINUSE/);
    assert.equal(
      (await fetchRaw({ path }, '/livez', { headers: LOCAL })).status,
      200,
      'the first one still answers',
    );
    await first.close('clean');
    const file = join(folder, 'precious');
    writeFileSync(file, 'x');
    await assert.rejects(open({ kind: 'unix', path: file }), /EADDRINUSE/);
    assert.equal(existsSync(file), true);
  }));
