// Goal: client, proxy and backend agree where each request ends, whatever the client sends. Method: a table of attacks against
// a backend that reads by the letter and keeps every byte. Behind each attack a request of the same client, where its
// connection goes on, and one of another client over the same backend connection get their own responses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest, type RawClient } from '../support/raw_client.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording_backend.ts';
import { CHUNKS } from './smuggling/chunks.ts';
import { CONTENT_LENGTH } from './smuggling/content_length.ts';
import { HEADS } from './smuggling/heads.ts';
import { type Row, request, SMUGGLED } from './smuggling/row.ts';
import { SEQUENCES } from './smuggling/sequences.ts';
import { TRANSFER_ENCODING } from './smuggling/transfer_encoding.ts';

checkLeaks();

const ROWS = [...TRANSFER_ENCODING, ...CONTENT_LENGTH, ...CHUNKS, ...HEADS, ...SEQUENCES];
/** Everything goes over one connection to the backend, so that what one client leaves there meets the next one. */
const ONE_CONNECTION = { cluster: { pool: { connections: 1 } }, route: { retries: { attempts: 0 } } };
/** An attack that hangs is an attack that worked. */
const ROW_MS_MAX = 10_000;

test('client, proxy and backend agree where each request ends', async t => {
  assert(ROWS.length >= 150);
  assert.equal(new Set(ROWS.map(({ name }) => name)).size, ROWS.length, 'each attack is there once');
  await using backend = await startRecordingBackend();
  await using proxy = await startProxy(forwardTo([backend.address], ONE_CONNECTION));
  for (const [at, row] of ROWS.entries()) {
    await t.test(row.name, { timeout: ROW_MS_MAX }, () => attack(row, at, proxy, backend));
  }
});

test('the body of a request that is answered here is no request, whether it comes with its head or behind the answer', async () => {
  await using backend = await startRecordingBackend();
  const here = (name: string, does: Readonly<Record<string, unknown>>) => ({
    name,
    match: { path: { exact: `/${name}` } },
    ...does,
  });
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      routes: [
        here('respond', { respond: { status: 200, body: 'here' } }),
        here('redirect', { redirect: { status: 308, to: 'http://other.test/' } }),
        here('denied', { forward: { cluster: 'app' }, access: { deny: ['127.0.0.1/32'] } }),
        here('large', { forward: { cluster: 'app' }, limits: { bodyBytes: '1B' } }),
      ],
    }),
  );
  const chunks = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
  for (const [path, status] of Object.entries({ respond: 200, redirect: 308, denied: 403, large: 413 })) {
    for (const [field, body] of [
      [`Content-Length: ${SMUGGLED.length}`, SMUGGLED],
      ['Transfer-Encoding: chunked', chunks],
    ] as const) {
      const head = request(`POST /${path} HTTP/1.1`, [field]);
      using together = await connectRaw(proxy.target());
      await together.send(head + body);
      assert.equal((await together.answer()).status, status, `${path}, ${field}`);
      using apart = await connectRaw(proxy.target());
      await apart.send(path === 'large' ? head + body.slice(0, 9) : head);
      assert.equal((await apart.answer()).status, status, `${path}, ${field}`);
      await apart.send(path === 'large' ? body.slice(9) + SMUGGLED : body + SMUGGLED);
      for (const client of [together, apart]) {
        client.finish();
        assert.equal(String(await client.reader.rest()), '', `${path}, ${field}: no other response`);
      }
    }
  }
  await fetchRaw(proxy.target(), '/last');
  const targets = backend.requests.map(({ target }) => target);
  assert.deepEqual(targets, ['/last'], 'nothing of them has reached the backend');
});

async function attack(row: Row, at: number, proxy: ProxyInProcess, backend: RecordingBackend): Promise<void> {
  const before = backend.requests.length;
  const wrongBefore = backend.violations.length;
  using client = await connectRaw(proxy.target());
  void client.send(row.bytes);
  if (row.finish === true) client.finish();
  const answers: number[] = [];
  for (const _ of row.answers) answers.push((await client.answer(methodOf(row))).status);
  assert.deepEqual(answers, row.answers);
  if (row.after === 'closed') await assertSilentEnd(client);
  else await assertOwnResponse(client, `/same-client/${at}`);

  // Whatever the attack has left on the backend's side, a stranger meets it now.
  assert.equal((await fetchRaw(proxy.target(), `/other-client/${at}`)).text, `/other-client/${at}`);

  assert.deepEqual(
    backend.violations.slice(wrongBefore),
    [],
    'each byte that the backend got was part of a canonical request',
  );
  const seen = backend.requests.slice(before);
  const canaries = [...(row.after === 'open' ? [`/same-client/${at}`] : []), `/other-client/${at}`];
  assert.deepEqual(
    seen.map(({ target }) => target),
    [...row.backend, ...canaries],
  );
  if (isKept(row))
    assert.equal(new Set(seen.map(({ connection }) => connection)).size, 1, 'one connection to the backend');
  const bodies = seen.slice(0, row.backend.length).map(({ body }) => body.toString('latin1'));
  assert.deepEqual(bodies, row.bodies ?? row.backend.map(() => ''));
  for (const target of backend.begun()) assert.equal(target, '/attack', 'nothing else was begun');
}

/** Nothing gives the proxy a reason to use another connection to its backend: the canaries meet what the attack has left. */
function isKept({ after, backend }: Row): boolean {
  return after === 'open' && !backend.includes('*'); // `OPTIONS *` has a connection of its own
}

/** Of the first request; what is behind it in a row is GET. */
function methodOf({ bytes }: Row): string {
  return /^\s*(\w+)/.exec(bytes)?.[1] ?? 'GET';
}

async function assertSilentEnd(client: RawClient): Promise<void> {
  assert.equal((await client.reader.rest()).toString('latin1'), '', 'no other response came');
}

async function assertOwnResponse(client: RawClient, target: string): Promise<void> {
  await client.send(formatRequest(target));
  const { status, text } = await client.answer();
  assert.deepEqual([status, text], [200, target]);
}
