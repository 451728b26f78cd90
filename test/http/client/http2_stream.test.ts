// The response as it leaves for an HTTP/2 client: fields, trailers, ends that are whole and ends that are not.
import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { test } from 'node:test';
import { answer, cutInBody, raw } from '../../support/backend_behaviours.ts';
import { formatChunk, formatHead, formatLastChunk, value, values } from '../../support/http1_message.ts';
import { connectHttp2, type Http2Client } from '../../support/http2_client.ts';
import { checkLeaks } from '../../support/leak_check.ts';
import { forwardTo } from '../../support/plan_builder.ts';
import { type ProxyOnFakeClock, startOnFakeClock } from '../../support/proxy_on_fake_clock.ts';
import { type Behaviour, startBackend } from '../../support/scripted_backend.ts';

checkLeaks();

async function withClient(
  behaviour: Behaviour,
  use: (client: Http2Client, proxy: ProxyOnFakeClock) => Promise<void>,
): Promise<void> {
  await using backend = await startBackend(behaviour);
  await using proxy = await startOnFakeClock(forwardTo([backend.address]), { protocol: 'http2' });
  const client = await connectHttp2(proxy.target);
  await use(client, proxy);
  await client.close();
}

test('names are in lower case, and a field that came twice leaves twice, in its order', () =>
  withClient(
    answer({ headers: ['Set-Cookie', 'a=1', 'X-Case', 'Kept', 'Set-Cookie', 'b=2'] }),
    async client => {
      const { headers, rstCode } = await client.request('/').answer;
      assert.deepEqual(values(headers, 'set-cookie'), ['a=1', 'b=2']);
      assert.equal(headers[headers.indexOf('x-case') + 1], 'Kept');
      assert.equal(rstCode, constants.NGHTTP2_NO_ERROR);
    },
  ));

test('an answer to HEAD has the length of the body that it does not have, a 204 has none', async () => {
  await withClient(raw(formatHead('HTTP/1.1 200 OK', ['Content-Length', '1000'])), async client => {
    const got = await client.request('/', { ':method': 'HEAD' }).answer;
    assert.deepEqual([got.status, value(got.headers, 'content-length'), got.text], [200, '1000', '']);
  });
  await withClient(raw(formatHead('HTTP/1.1 204 No Content', ['Content-Length', '0'])), async client => {
    const got = await client.request('/').answer;
    assert.deepEqual([got.status, value(got.headers, 'content-length')], [204, null]);
  });
});

test('trailers and interim fields arrive as they are, whatever their names mean to JavaScript', () => {
  const whole = Buffer.concat([
    formatHead('HTTP/1.1 103 Early Hints', ['Link', '</a>', 'Link', '</b>', 'Constructor', 'mine']),
    formatHead('HTTP/1.1 200 OK', ['Transfer-Encoding', 'chunked']),
    formatChunk('body'),
    formatLastChunk(['X-Sum', '1', 'Constructor', 'mine', 'X-Sum', '2']),
  ]);
  return withClient(raw(whole), async client => {
    const got = await client.request('/').answer;
    const [hint] = got.information;
    assert.deepEqual(values(hint?.headers ?? [], 'link'), ['</a>', '</b>']);
    assert.deepEqual(values(hint?.headers ?? [], 'constructor'), ['mine']);
    assert.equal(got.text, 'body');
    assert.deepEqual(values(got.trailers ?? [], 'x-sum'), ['1', '2']);
    assert.deepEqual(values(got.trailers ?? [], 'constructor'), ['mine']);
  });
});

test('half an answer ends with an error, never as if it were whole', async () => {
  for (const framing of ['length', 'chunked'] as const)
    await withClient(cutInBody('half', { framing, how: 'close' }), async client => {
      const { status, rstCode } = await client.request('/').answer;
      assert.deepEqual([status, rstCode], [200, constants.NGHTTP2_INTERNAL_ERROR], framing);
    });
});

test('an answer that comes before the end of an upload is whole, and the upload is read while bytes come', () =>
  withClient(
    async request => {
      request.socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
      return 'over' as const;
    },
    async (client, { clock, lines }) => {
      const { stream, answer: got } = client.request('/', { ':method': 'POST' }, 'open');
      stream.write('begun');
      await new Promise(resolve => stream.once('end', resolve));
      assert.equal((await lines.next({ path: '/' })).status, 403, 'it has its line: the answer is complete');
      stream.write('more');
      await new Promise(resolve => client.session.ping(resolve));
      clock.advance(2_000); // bytes have come: once more
      await new Promise(resolve => client.session.ping(resolve));
      assert.equal(stream.closed, false);
      clock.advance(2_000);
      const { status, text, rstCode } = await got;
      assert.deepEqual(
        [status, text, rstCode],
        [403, 'no', constants.NGHTTP2_NO_ERROR],
        'RFC 9113 section 8.1',
      );
    },
  ));
