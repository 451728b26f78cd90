/** A process that may open few files: it refuses in time and says so, and stays within reach. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { answer, staySilent } from '../support/backend_behaviours.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxyProcess } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const folder = mkdtempSync(join(tmpdir(), 'fairlead-descriptors-'));
after(() => rmSync(folder, { recursive: true }));
const ADMIN = join(folder, 'admin.sock');
const LINUX = { skip: process.platform !== 'linux' };
const CLIENTS = 70;

const start = (address: string, more: object = {}) =>
  startProxyProcess(forwardTo([address], { admin: { address: `unix:${ADMIN}` }, ...more }), {
    openFilesMax: 60,
  });
const admin = (path: string) => fetchRaw({ path: ADMIN }, path, { headers: ['Host', 'localhost'] });

test(
  'with more clients than descriptors the rest is refused and told, and the admin API answers',
  LINUX,
  async () => {
    await using backend = await startBackend(answer());
    await using proxy = await start(backend.address);
    const message = String((await proxy.lines.next({ event: 'warning' })).message);
    const [, accepted] = /^the limit of 60 open files is too low .* at most (\d+) of/.exec(message) ?? [];
    const refused = CLIENTS - Number(accepted);
    assert.ok(refused > CLIENTS / 2, message);

    using admitted = await connectRaw(proxy.target());
    const others = Array.from({ length: CLIENTS - 1 }, () =>
      connect(proxy.target().port, '127.0.0.1').on('error', () => {}),
    );
    let told = 0;
    for (let line = 1; told < refused; line++) {
      const { cause, count } = await proxy.lines.next({ event: 'connections_refused' }, line);
      assert.equal(cause, 'descriptors');
      told += Number(count);
    }
    assert.equal(told, refused);
    assert.equal((await admin('/livez')).status, 200);
    const { text } = await admin('/metrics');
    assert.ok(
      text.includes(`connections_refused_total{listener="main",cause="descriptors"} ${refused}`),
      text,
    );
    assert.ok(
      (await admin('/')).text.includes(`main: ${refused} connections were refused in the last minute`),
    );

    void admitted.send(formatRequest('/'));
    assert.equal((await admitted.answer()).status, 200, 'who was admitted is served');
    proxy.signal('SIGHUP');
    assert.equal((await proxy.lines.next({ event: 'reload' })).result, 'unchanged');
    for (const other of others) other.destroy();
  },
);

test(
  'with more streams than descriptors the rest is 503 local_exhausted, and the admin API answers',
  LINUX,
  async () => {
    await using backend = await startBackend(staySilent());
    await using proxy = await start(backend.address, { listener: { h2c: true } });
    const client = await connectHttp2({ port: proxy.target().port });
    const streams = Array.from({ length: 90 }, (_, number) => client.request(`/${number}`));
    const { detail } = await proxy.lines.next({ reason: 'local_exhausted' }, 50);
    assert.equal(detail, 'EMFILE');
    assert.equal((await admin('/livez')).status, 200);
    await client.close();
    await Promise.all(streams.map(({ answer: ended }) => ended));
  },
);
