// Goal: whatever a backend writes, nobody gets a byte of a response to somebody else. Method: behind each response of a table
// comes a second one that nobody asked for, in the same packet; a stranger who waits for the connection and one who comes
// later get their own responses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { serveFrames } from '../support/http2_frames.ts';
import { block, FLAG, frame, TYPE } from '../support/http2_wire.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { type Answer, connectRaw, fetchRaw, formatRequest, TruncatedAnswer } from '../support/raw_client.ts';
import { startRecordingBackend } from '../support/recording_backend.ts';
import { HTTP2_RESPONSES, type Http2ResponseRow } from './smuggling/http2_responses.ts';
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

test('what an HTTP/2 backend says malformed is no part of a response in HTTP/1.1', async t => {
  let next = -1;
  await using backend = await serveFrames((frames, stream) => {
    const row = HTTP2_RESPONSES[next];
    if (row === undefined) return;
    next = -1; // the next one is a stranger's
    frames.socket.write(Buffer.concat(framesOf(row, stream)));
  });
  await using own = await startRecordingBackend();
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      cluster: { protocol: 'h2c', health: { passive: 'off' } },
      route: { retries: { attempts: 0 } },
      routes: [{ name: 'own', match: { path: { prefix: '/other' } }, forward: { cluster: 'own' } }],
      clusters: { own: { endpoints: [own.address] } },
    }),
  );
  for (const [at, row] of HTTP2_RESPONSES.entries()) {
    await t.test(row.name, { timeout: ROW_MS_MAX }, async () => {
      next = at;
      using client = await connectRaw(proxy.target());
      await client.send(formatRequest('/attack'));
      const answer = await client.answer().catch(partOf);
      if (answer === 'cut' || row.gets === 'cut') {
        assert.equal(answer, row.gets);
        return;
      }
      assert.equal(answer.status, row.gets);
      if (answer.status === 200) assert.equal(answer.text, 'hello');
      assert.doesNotMatch([...answer.headers, ...answer.trailers, answer.text].join(), /poison/i);
      await client.send(formatRequest(`/other/${at}`));
      assert.equal((await client.answer()).text, `/other/${at}`, 'and nothing is left for the next response');
    });
  }
});

function framesOf({ fields, data, trailers }: Http2ResponseRow, stream: number): Buffer[] {
  const head = frame(TYPE.headers, FLAG.endHeaders, stream, block(fields));
  const body = frame(TYPE.data, trailers === null ? FLAG.endStream : 0, stream, Buffer.from(data));
  if (trailers === null) return [head, body];
  return [head, body, frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, stream, block(trailers))];
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
