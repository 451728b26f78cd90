// Phase 8: the end of a process, asked for or not. SIGTERM loses nothing that was taken; after SIGKILL the file on disk is all that counts.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { server } from '../support/certificates.ts';
import { ChangingConfig } from '../support/changing_config.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { configText } from '../support/plan_builder.ts';
import { startProxyProcess } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { closedPort } from '../support/scripted_backend.ts';
import { Traffic } from '../support/traffic.ts';
import { TrafficBackend } from '../support/traffic_backend.ts';

checkLeaks();

/** Far more than a process needs to end that has nothing to wait for, on a machine that is busy with other things. */
const AT_ONCE_MS_MAX = 10_000;
const ALIVE_MS_MAX = 120_000;

function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-end-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function configOf(context: TestContext, backend: TrafficBackend, drain: object) {
  const addresses = { backend: backend.address, guest: backend.address, adminPort: await closedPort() };
  return {
    ...new ChangingConfig(folderFor(context), addresses).current(),
    process: { drain, reload: { watch: false }, overload: { eventLoopDelay: 'off' } },
  };
}

test('SIGTERM under load: the port is closed, every request that was taken has its answer, and what lasts comes to its own end', async context => {
  await using backend = await TrafficBackend.start();
  // In the delay before the port closes each client of a kept connection hears `Connection: close`, because it sends far more often.
  const config = await configOf(context, backend, { delay: '2s', timeout: '60s' });
  await using proxy = await startProxyProcess(config, { aliveMsMax: ALIVE_MS_MAX });
  await using traffic = await Traffic.start(proxy, backend);
  await traffic.goOn();
  traffic.expectEnd();
  proxy.signal('SIGTERM');
  await proxy.lines.next({ event: 'phase_changed', to: 'draining' });
  await traffic.refused();
  for (const listener of ['main', 'secure'])
    await assert.rejects(connectRaw(proxy.target(listener)), { code: 'ECONNREFUSED' });
  await traffic.lasting.goOn(5);
  await traffic.stop();
  context.diagnostic(traffic.summary());

  assert.equal(await proxy.ended, 0, proxy.stderr());
  assert.deepEqual(traffic.failures, []);
  assert.equal(traffic.lasting.goneAway, 4, 'each WebSocket was told to go elsewhere');
  const taken = traffic.refusals.filter(({ id }) => backend.seen.has(id));
  assert.deepEqual(taken, [], 'what was refused had not been passed on');
  assert.equal(proxy.lines.find({ event: 'requests_cut' }).length, 0);
});

test('SIGTERM without a request under way ends the process at once, whatever connections are idle', async context => {
  await using backend = await TrafficBackend.start();
  const config = await configOf(context, backend, { timeout: '10m' });
  await using proxy = await startProxyProcess(config, { aliveMsMax: 3 * AT_ONCE_MS_MAX });
  using kept = await connectRaw(proxy.target());
  await kept.send(formatRequest('/now', { headers: ['X-Id', 'kept'] }));
  assert.equal((await kept.answer()).text, 'kept');
  const session = await connectHttp2(proxy.target());
  assert.equal((await session.request('/now', { 'x-id': 'stream' }).answer).text, 'stream');
  using silent = await connectRaw(proxy.target('secure'));

  const askedAtMs = performance.now();
  proxy.signal('SIGTERM');
  assert.equal(await proxy.ended, 0, proxy.stderr());
  const tookMs = performance.now() - askedAtMs;
  assert.ok(tookMs < AT_ONCE_MS_MAX, `it took ${Math.round(tookMs)} ms`);
  await Promise.all([kept.ended, silent.ended, session.close()]);
});

/** Enough for the configuration to be loaded in a thread of its own. */
const MANY_ROUTES = 1_000;

test('after SIGKILL in the middle of a reload the next process serves what the file says, with nothing to clean up first', async context => {
  const folder = folderFor(context);
  const configFile = join(folder, 'fairlead.yaml');
  const [port, tlsPort] = [await closedPort(), await closedPort()];
  const files = { certFile: join(folder, 'site.crt'), keyFile: join(folder, 'site.key') };
  const socket = join(folder, 'fairlead.sock');
  const config = (text: string) => ({
    version: 1,
    admin: 'off',
    process: { reload: { watch: false } },
    listeners: {
      main: { address: `127.0.0.1:${port}` },
      secure: { address: `127.0.0.1:${tlsPort}`, tls: { certificates: [files] } },
      local: { address: `unix:${socket}` },
    },
    routes: Array.from({ length: MANY_ROUTES }, (_, number) => ({
      name: `route${number}`,
      match: { path: { exact: `/${number}` } },
      respond: { status: 200, body: `${text} ${number}` },
    })),
  });
  writeFileSync(files.certFile, server.cert);
  writeFileSync(files.keyFile, server.key, { mode: 0o600 });
  const last = `/${MANY_ROUTES - 1}`;
  const textOf = async (path = last) => (await fetchRaw({ port }, path)).text;

  const first = await startProxyProcess(config('old'), { configFile });
  // A pipe in place of the certificate holds the thread that reads it: the reload is in its middle when somebody reads the pipe.
  rmSync(files.certFile);
  execFileSync('mkfifo', [files.certFile]);
  first.rewrite(config('new'));
  first.signal('SIGHUP');
  const pipe = await open(files.certFile, 'w');
  assert.equal(await textOf(), `old ${MANY_ROUTES - 1}`, 'requests do not wait for the reload');
  first.signal('SIGKILL');
  assert.equal(await first.ended, 'SIGKILL');
  await pipe.close();
  assert.equal(first.lines.find({ event: 'reload' }).length, 0, 'it was in the middle');

  writeFileSync(`${files.certFile}.new`, server.cert);
  renameSync(`${files.certFile}.new`, files.certFile);
  await using second = await startProxyProcess(null, { configFile });
  assert.equal(await textOf(), `new ${MANY_ROUTES - 1}`);
  assert.equal((await fetchRaw({ path: socket }, '/0')).text, 'new 0');
  const secure = { port: tlsPort, tls: { rejectUnauthorized: false } };
  assert.equal((await fetchRaw(secure, '/1')).text, 'new 1');

  second.rewrite(configText(config('newer')));
  second.signal('SIGHUP');
  assert.equal((await second.lines.next({ event: 'reload' }))['result'], 'applied', 'and reloads as ever');
  assert.equal(await textOf(), `newer ${MANY_ROUTES - 1}`);
});
