// Goal: whatever a backend writes, nobody gets a byte of a response to somebody else. Method: behind each response of a table
// comes a second one that nobody asked for, in the same packet; a stranger who waits for the connection and one who comes
// later get their own responses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { type Answer, connectRaw, fetchRaw, formatRequest, TruncatedAnswer } from '../support/raw_client.ts';
import { startRecordingBackend } from '../support/recording_backend.ts';
import { RESPONSES, type ResponseRow } from './smuggling/responses.ts';

checkLeaks();

const ONE_CONNECTION = {
  cluster: { pool: { connections: 1, queueTimeout: '30s' }, health: { passive: 'off' } },
  route: { retries: { attempts: 0 } },
};
const ROW_MS_MAX = 10_000;

test('nobody gets a byte of a response to somebody else', async t => {
  assert(RESPONSES.length >= 25);
  let send = (): void => {};
  await using backend = await startRecordingBackend(({ target }, socket) => {
    const [, name, at] = target.split('/');
    const row = name === 'attack' ? RESPONSES[Number(at)] : undefined;
    if (row === undefined) return null;
    send = () => {
      socket.write(Buffer.from(row.bytes, 'latin1'));
      if (row.ends) socket.end();
    };
    return '';
  });
  await using proxy = await startProxy(forwardTo([backend.address], ONE_CONNECTION));
  for (const [at, row] of RESPONSES.entries()) {
    await t.test(row.name, { timeout: ROW_MS_MAX }, async () => {
      using attacked = await connectRaw(proxy.target());
      const before = backend.requests.length;
      await attacked.send(formatRequest(`/attack/${at}`, { method: row.method }));
      while (backend.requests.length === before) await turn();
      const waiting = fetchRaw(proxy.target(), `/waiting/${at}`);
      await queued(proxy);
      send();
      check(row, await attacked.answer(row.method).catch(partOf));
      assert.equal((await waiting).text, `/waiting/${at}`);
      assert.equal((await fetchRaw(proxy.target(), `/later/${at}`)).text, `/later/${at}`);
      if (!attacked.socket.readableEnded) {
        attacked.finish();
        assert.equal(String(await attacked.reader.rest()), '', 'and nothing more for the client itself');
      }
    });
  }
});

/** Somebody waits for the connection to the backend. */
async function queued(proxy: ProxyInProcess): Promise<void> {
  while (proxy.report.status().clusters[0]?.queue !== 1) await turn();
}

function partOf(error: unknown): 'cut' {
  assert(error instanceof TruncatedAnswer, String(error));
  return 'cut';
}

function check({ gets, body }: ResponseRow, answer: Answer | 'cut'): void {
  if (gets === 'cut' || answer === 'cut') {
    assert.equal(answer, gets);
    return;
  }
  assert.equal(answer.status, gets);
  if (gets === 502) assert.doesNotMatch(answer.text, /POISON|hello/);
  else assert.equal(answer.text, body);
}

test('a handshake that the backend refuses opens no tunnel: what the client sends behind it reaches nobody', async () => {
  const refusal = 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n';
  await using backend = await startRecordingBackend(({ target }) => (target === '/ws' ? refusal : null));
  await using proxy = await startProxy(forwardTo([backend.address], ONE_CONNECTION));
  using client = await connectRaw(proxy.target());
  await client.send(
    'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 777\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  assert.equal((await client.answer()).status, 426);
  await client.send(formatRequest('/smuggled'));
  assert.equal(String(await client.reader.rest()), '');
  assert.equal((await fetchRaw(proxy.target(), '/other')).text, '/other');
  assert.deepEqual(
    backend.requests.map(({ target }) => target),
    ['/ws', '/other'],
  );
});
