// Recipes of docs/cookbook.md whose promise is more than one response (those: cookbook.test.ts), with real traffic; only addresses differ.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { after, answer } from '../support/backend_behaviours.ts';
import * as certificates from '../support/certificates.ts';
import { replaceAll } from '../support/documented_blocks.ts';
import { formatChunk, formatLastChunk } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { ROOT, startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();
process.env['TLS_DIR'] = dirname(certificates.server.certFile);

function example(name: string, replacements: Readonly<Record<string, string>>): string {
  return replaceAll(readFileSync(join(ROOT, `examples/${name}.yaml`), 'utf8'), {
    ':8080': ':0',
    ...replacements,
  });
}

test('blue-green: an edit moves new requests to green, and those under way end on blue', async () => {
  const released = Promise.withResolvers<void>();
  await using blue = await startBackend(after(released.promise, answer({ body: 'blue' })));
  await using green = await startBackend(answer({ body: 'green' }));
  const places = { '127.0.0.1:9000': blue.address, '127.0.0.1:9001': green.address };
  const config = example('blue-green', {
    ...places,
    '{ active: { path: /healthz } }': '{ active: off }',
    'version: 1': 'version: 1\nprocess: { reload: { watch: false } }',
  });
  await using proxy = await startProxy(config);
  const get = async (headers: readonly string[] = []) =>
    (await fetchRaw(proxy.target(), '/', { headers })).text;
  assert.equal(await get(['x-preview', 'green']), 'green');
  const underWay = get();
  await blue.requestCount(1);
  proxy.rewrite(replaceAll(config, { 'cluster: blue }': 'cluster: green }' }));
  await proxy.proxy.reload('signal');
  assert.equal(await get(), 'green');
  released.resolve();
  assert.equal(await underWay, 'blue');
});

test('canary: both versions get their share, and the header chooses the canary', async () => {
  await using stable = await startBackend(answer({ body: 'stable' }));
  await using other = await startBackend(answer({ body: 'stable' }));
  await using canary = await startBackend(answer({ body: 'canary' }));
  const config = example('canary', {
    '127.0.0.1:9000': stable.address,
    '127.0.0.1:9001': other.address,
    '127.0.0.1:9002': canary.address,
    '{ active: { path: /healthz } }': '{ active: off }',
  });
  await using proxy = await startProxy(config);
  assert.equal((await fetchRaw(proxy.target(), '/', { headers: ['x-canary', '1'] })).text, 'canary');
  using client = await connectRaw(proxy.target());
  const counts = { stable: 0, canary: 0 };
  for (let count = 0; count < 400; count++) {
    await client.send(formatRequest('/'));
    counts[(await client.answer()).text as 'stable' | 'canary']++;
  }
  assert.ok(counts.canary > 0 && counts.canary < 80, `one in twenty: ${JSON.stringify(counts)}`);
});

test('sse: an event arrives before the next one is sent', async () => {
  const next = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  async function* events() {
    yield Buffer.from('data: 0\n\n');
    for (const [at, { promise }] of next.entries()) {
      await promise;
      yield Buffer.from(`data: ${at + 1}\n\n`);
    }
  }
  await using backend = await startBackend(
    answer({ headers: ['Content-Type', 'text/event-stream'], body: events() }),
  );
  await using proxy = await startProxy(example('sse', { '127.0.0.1:9000': backend.address }));
  using client = await connectRaw(proxy.target());
  await client.send(formatRequest('/events'));
  const seen: string[] = [];
  const { text } = await client.answer('GET', chunk => {
    seen.push(chunk.toString());
    next[seen.length - 1]?.resolve();
  });
  assert.equal(text, 'data: 0\n\ndata: 1\n\ndata: 2\n\n');
  assert.equal(seen.length, 3, 'each came by itself, and only then was the next one sent');
});

test('uploads: a body of unknown length streams to the backend, and is refused at the limit elsewhere', async () => {
  await using backend = await startBackend(answer({ body: 'stored' }));
  await using proxy = await startProxy(example('uploads', { '127.0.0.1:9000': backend.address }));
  const chunked = ['Host', 'app.test', 'Transfer-Encoding', 'chunked'];
  const piece = formatChunk(Buffer.alloc(700_000));
  for (const [path, status] of [
    ['/upload/film', 200],
    ['/form', 413],
  ] as const) {
    using client = await connectRaw(proxy.target());
    await client.send(formatRequest(path, { method: 'POST', headers: chunked }));
    await client.send(piece);
    await backend.requestCount(path === '/form' ? 2 : 1); // it is there before the end of the body
    await client.send(piece);
    await client.send(formatLastChunk([]));
    assert.equal((await client.answer('POST')).status, status, path);
  }
});

test('private-path: the network that may, in every spelling of the path, and nobody else', async () => {
  await using backend = await startBackend(answer());
  const config = example('private-path', { '127.0.0.1:9000': backend.address, '10.0.0.0/8': '127.0.0.2/32' });
  await using proxy = await startProxy(config);
  for (const path of ['/admin', '/admin/', '/admin/users', '//admin', '/admin;x=1', '/%61dmin']) {
    assert.equal((await fetchRaw(proxy.target(), path)).status, 403, path);
    const inside = { ...proxy.target(), localAddress: '127.0.0.2' };
    assert.equal((await fetchRaw(inside, path)).status, 200, path);
  }
  assert.equal((await fetchRaw(proxy.target(), '/administration')).status, 200);
});

test('lets-encrypt: the challenge reaches the ACME client in clear, everything else is redirected', async () => {
  await using app = await startBackend(answer({ body: 'app' }));
  await using acme = await startBackend(answer({ body: 'token' }));
  const config = example('lets-encrypt', {
    '127.0.0.1:9901': '127.0.0.1:0',
    '0.0.0.0:0': '127.0.0.1:0',
    '0.0.0.0:8443': '127.0.0.1:0',
    '127.0.0.1:9000': app.address,
    '127.0.0.1:8888': acme.address,
  });
  await using proxy = await startProxy(config);
  assert.equal((await fetchRaw(proxy.target('http'), '/.well-known/acme-challenge/x')).text, 'token');
  assert.equal((await fetchRaw(proxy.target('http'), '/.well-known/other')).status, 308);
  const https = { ...proxy.target('https'), tls: { ca: certificates.ca, servername: 'app.test' } };
  assert.equal((await fetchRaw(https, '/')).text, 'app');
});
