/** Everything from outside that makes a running proxy take its configuration anew, as files are really replaced. */
import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import tls from 'node:tls';
import { echo } from '../support/backend_behaviours.ts';
import * as certificates from '../support/certificates.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { configText, forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy, startProxyProcess } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { closedPort, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const folder = mkdtempSync(join(tmpdir(), 'fairlead-triggers-'));
after(() => rmSync(folder, { recursive: true }));

const WATCH = { process: { reload: { watch: true } } };

/** Answers with this status itself. */
function answering(status: number): Record<string, unknown> {
  return { ...forwardTo([], { ...WATCH, route: { forward: undefined, respond: { status } } }), clusters: {} };
}

async function appliedByWatch(proxy: ProxyInProcess, count: number): Promise<void> {
  await proxy.lines.next({ event: 'reload', trigger: 'watch', result: 'applied' }, count);
}

async function statusOf(proxy: ProxyInProcess): Promise<number> {
  return (await fetchRaw(proxy.target(), '/')).status;
}

test('an editor that moves the old file away and writes a new one, one that writes in place, and one that renames over it', async () => {
  await using proxy = await startProxy(answering(201));
  const { configFile: file } = proxy;
  assert.equal(await statusOf(proxy), 201);

  renameSync(file, `${file}~`);
  writeFileSync(file, configText(answering(202)));
  await appliedByWatch(proxy, 1);
  assert.equal(await statusOf(proxy), 202);

  writeFileSync(file, configText(answering(203)));
  await appliedByWatch(proxy, 2);
  assert.equal(await statusOf(proxy), 203);

  writeFileSync(`${file}.swp`, configText(answering(205)));
  renameSync(`${file}.swp`, file);
  await appliedByWatch(proxy, 3);
  assert.equal(await statusOf(proxy), 205);
  assert.equal(proxy.lines.find({ event: 'reload', result: 'rejected' }).length, 0);
});

test('the link that Kubernetes swaps when a ConfigMap has changed', async () => {
  await using proxy = await startProxy(answering(201));
  const volume = dirname(proxy.configFile);
  const put = (version: string, status: number) => {
    mkdirSync(join(volume, version));
    writeFileSync(join(volume, version, 'fairlead.yaml'), configText(answering(status)));
  };
  // The file becomes a link through ..data, as in a volume.
  put('..2026_01', 202);
  symlinkSync('..2026_01', join(volume, '..data'));
  symlinkSync('..data/fairlead.yaml', join(volume, 'link'));
  renameSync(join(volume, 'link'), proxy.configFile);
  await appliedByWatch(proxy, 1);
  assert.equal(await statusOf(proxy), 202);

  put('..2026_02', 203);
  symlinkSync('..2026_02', join(volume, '..data_tmp'));
  renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
  rmSync(join(volume, '..2026_01'), { recursive: true });
  await appliedByWatch(proxy, 2);
  assert.equal(await statusOf(proxy), 203);
});

test('a certificate that is renewed on its place is what the next client gets', async () => {
  const certFile = join(folder, 'site.crt');
  const keyFile = join(folder, 'site.key');
  const install = (from: { readonly certFile: string; readonly keyFile: string }) => {
    for (const [source, target] of [
      [from.keyFile, keyFile],
      [from.certFile, certFile],
    ] as const) {
      cpSync(source, `${target}.new`);
      renameSync(`${target}.new`, target);
    }
  };
  install(certificates.server);
  const listener = { tls: { certificates: [{ certFile, keyFile }] } };
  await using proxy = await startProxy(
    forwardTo(['127.0.0.1:1'], {
      ...WATCH,
      listener,
      route: { forward: undefined, respond: { status: 204 } },
    }),
  );
  const presented = () =>
    new Promise<string>((resolve, reject) => {
      const { port } = proxy.target();
      const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
        socket.destroy();
      });
      socket.once('error', reject);
    });
  const before = await presented();
  install(certificates.elsewhere);
  await proxy.lines.next({ event: 'reload', trigger: 'certificates', result: 'applied' });
  assert.notEqual(await presented(), before);
});

test('a signal, the admin API and the file are three ways to the same reload, and the log says which it was', async () => {
  await using backend = await startBackend(echo());
  const admin = await closedPort();
  const config = (name: string, watch: boolean) =>
    forwardTo([backend.address], {
      admin: { address: `127.0.0.1:${admin}` },
      process: { reload: { watch } },
      route: { name },
    });
  await using proxy = await startProxyProcess(config('one', false));
  proxy.rewrite(config('two', false));
  proxy.signal('SIGHUP');
  await proxy.lines.next({ event: 'reload', trigger: 'signal', result: 'applied' });
  proxy.rewrite(config('three', true));
  const post = { method: 'POST', headers: ['Host', 'localhost'] };
  assert.equal((await fetchRaw({ port: admin }, '/reload', post)).status, 200);
  await proxy.lines.next({ event: 'reload', trigger: 'admin', result: 'applied' });
  proxy.rewrite(config('four', true));
  await proxy.lines.next({ event: 'reload', trigger: 'watch', result: 'applied' });
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  await proxy.lines.next({ route: 'four' });
  assert.match(readFileSync(proxy.configFile, 'utf8'), /"four"/);
  await proxy.stop();
});
