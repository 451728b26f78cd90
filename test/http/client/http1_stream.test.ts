// The response as it leaves for an HTTP/1.1 client: framing, packets, and what a connection is worth afterwards.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, raw, write } from '../../support/backend_behaviours.ts';
import { formatChunk, formatHead, formatLastChunk, value } from '../../support/http1_message.ts';
import { checkLeaks } from '../../support/leak_check.ts';
import { type ForwardOptions, forwardTo } from '../../support/plan_builder.ts';
import { type ProxyOnFakeClock, startOnFakeClock } from '../../support/proxy_on_fake_clock.ts';
import { connectRaw, fetchRaw, formatRequest, type RawClient } from '../../support/raw_client.ts';
import { type Behaviour, startBackend } from '../../support/scripted_backend.ts';

checkLeaks();

async function withClient(
  behaviour: Behaviour,
  use: (client: RawClient, proxy: ProxyOnFakeClock) => Promise<void>,
  options: ForwardOptions = {},
): Promise<void> {
  await using backend = await startBackend(behaviour);
  await using proxy = await startOnFakeClock(forwardTo([backend.address], options));
  using client = await connectRaw(proxy.target);
  await use(client, proxy);
}

test('a head leaves before its body comes, in Latin-1 as the backend has sent it', () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const late: Behaviour = async (request): Promise<'done'> => {
    await write(request, formatHead('HTTP/1.1 200 Fein', ['X-Latin', 'gr\u00fcn', 'Content-Length', '4']));
    await released;
    await write(request, 'body');
    return 'done';
  };
  return withClient(late, async client => {
    await client.send(formatRequest('/'));
    const { status, reason, headers } = await client.head();
    assert.deepEqual([status, reason, value(headers, 'x-latin')], [200, 'Fein', 'gr\u00fcn']);
    release();
    assert.equal(String(await client.reader.exactly(4)), 'body');
  });
});

test('trailers reach a client of HTTP/1.1, are announced only where they can follow, and never reach one of HTTP/1.0', async () => {
  const trailers = raw(
    Buffer.concat([
      formatHead('HTTP/1.1 200 OK', ['Transfer-Encoding', 'chunked', 'Trailer', 'X-Sum']),
      formatChunk('body'),
      formatLastChunk(['X-Sum', '1']),
    ]),
  );
  await withClient(trailers, async client => {
    await client.send(formatRequest('/'));
    const got = await client.answer();
    assert.deepEqual([value(got.headers, 'trailer'), value(got.trailers, 'x-sum')], ['X-Sum', '1']);
  });
  await withClient(trailers, async client => {
    await client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    const got = await client.answer();
    assert.deepEqual(
      [got.text, value(got.headers, 'trailer'), value(got.headers, 'transfer-encoding')],
      ['body', null, null],
    );
  });
});

test('interim responses are not sent to a client of HTTP/1.0, which would take them for the response', () =>
  withClient(answer({ information: [[103, ['Link', '</a>']]], body: 'final' }), async client => {
    await client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    const got = await client.answer();
    assert.deepEqual([got.information, got.text], [[], 'final']);
  }));

test('a client whose upload is not wanted gets its response, and is told that the connection closes', () =>
  withClient(
    answer(),
    async client => {
      const headers = ['Content-Length', '1000000'];
      await client.send(formatRequest('/', { method: 'PUT', headers, body: 'begun' }));
      const got = await client.answer();
      assert.deepEqual([got.status, value(got.headers, 'connection')], [413, 'close']);
    },
    { route: { limits: { bodyBytes: '10B' } } },
  ));

test('a reason phrase is passed on, and left out where Node would not send it', async () => {
  for (const [line, reason] of [
    ['HTTP/1.1 299 Any Thing', 'Any Thing'],
    ['HTTP/1.1 299 ', ''],
  ] as const)
    await withClient(raw(formatHead(line, ['Content-Length', '0'])), async (_client, proxy) => {
      const got = await fetchRaw(proxy.target, '/');
      assert.deepEqual([got.status, got.reason], [299, reason]);
    });
});
