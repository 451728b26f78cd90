// What HTTP/1.1 backends send beside plain answers: interim responses, trailers, broken framing, logins of a connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, inTurn, raw, write } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { type Behaviour, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n';
const H2C = { listener: { h2c: true } };
const ONCE = { retries: { attempts: 0 } };

test('an unsolicited 100 Continue is skipped, together with the response or alone, and the connection stays', async () => {
  const alone: Behaviour = async request => {
    await write(request, 'HTTP/1.1 100 Continue\r\nX-Note: 1\r\n\r\n');
    await write(request, `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`);
    return 'done' as const;
  };
  await using backend = await startBackend(
    inTurn(raw(`HTTP/1.1 100 Continue\r\n\r\n${OK}`), alone, answer()),
  );
  await using proxy = await startProxy(forwardTo([backend.address], { route: ONCE }));
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'ok');
  const second = await fetchRaw(proxy.target(), '/', { method: 'POST', body: 'x' });
  assert.deepEqual([second.text, second.information.map(({ status }) => status)], ['ok', [103]]);
  await fetchRaw(proxy.target(), '/');
  assert.equal(backend.connections.total, 1);
});

for (const field of ['Connection: close', 'Transfer-Encoding: chunked', 'Content-Length: 3', 'Upgrade: h2c'])
  test(`"${field}" in trailers is dropped: the answer is whole, and so is the next one`, async () => {
    await using backend = await startBackend(
      inTurn(raw(`${CHUNKED}0\r\nX-Sum: 1\r\n${field}\r\n\r\n`), answer({ body: 'next' })),
    );
    await using proxy = await startProxy(forwardTo([backend.address], { route: ONCE }));
    const first = await fetchRaw(proxy.target(), '/');
    assert.equal(first.text, 'hello');
    const name = field.split(':')[0]?.toLowerCase() ?? '';
    assert.equal(value(first.trailers, name), null);
    assert.equal((await fetchRaw(proxy.target(), '/')).text, 'next');
  });

test('an answer that breaks in the turn of its head is 502 with a sentence, and logged as that', async () => {
  await using backend = await startBackend(raw(`${CHUNKED}zz\r\n`));
  await using proxy = await startProxy(forwardTo([backend.address], { route: ONCE }));
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 502);
  const line = await proxy.lines.next({ path: '/' });
  assert.deepEqual([line.status, line.reason], [502, 'bad_response']);
});

test('an answer that breaks later is cut, never ended', async () => {
  let go = () => {};
  const gone = new Promise<void>(resolve => {
    go = resolve;
  });
  const later: Behaviour = async request => {
    await write(request, CHUNKED);
    await gone;
    await write(request, 'zz\r\n');
    return 'over' as const;
  };
  await using backend = await startBackend(later);
  await using proxy = await startProxy(forwardTo([backend.address], { route: ONCE }));
  using client = await connectRaw(proxy.target());
  void client.send(formatRequest('/'));
  assert.equal((await client.head()).status, 200);
  go();
  const line = await proxy.lines.next({ path: '/' });
  assert.equal(line.reason, 'reset_in_body');
});

test('a 204 goes out without the Content-Length that its backend has sent', async () => {
  await using backend = await startBackend(raw('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'));
  await using proxy = await startProxy(forwardTo([backend.address], { route: ONCE }));
  const { status, headers } = await fetchRaw(proxy.target(), '/');
  assert.deepEqual([status, value(headers, 'content-length')], [204, null]);
});

test('a response with "Transfer-Encoding: gzip, chunked" is 502 bad_response: the coding was not requested', async () => {
  const coded = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
  await using backend = await startBackend(inTurn(raw(coded), answer({ body: 'next' })));
  await using proxy = await startProxy(forwardTo([backend.address], { route: ONCE }));
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 502);
  assert.match(String((await proxy.lines.next({ path: '/' })).detail), /Transfer-Encoding/);
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'next');
});

/** As IIS does it: whoever has sent a credential on this connection is who sends everything that follows. */
function loginOfConnection(): Behaviour {
  const users = new WeakMap<object, string>();
  return async request => {
    const credential = value(request.headers, 'authorization');
    if (credential !== null) users.set(request.socket, credential);
    const user = users.get(request.socket);
    if (user === undefined)
      return answer({ status: 401, headers: ['WWW-Authenticate', 'Negotiate'] })(request);
    return answer({ body: user })(request);
  };
}

for (const scheme of ['NTLM', 'Negotiate', 'negotiate'])
  test(`a connection that one client has authenticated with ${scheme} never serves another`, async () => {
    await using backend = await startBackend(loginOfConnection());
    await using proxy = await startProxy(forwardTo([backend.address], { route: ONCE }));
    const alice = { headers: ['Authorization', `${scheme} YWxpY2U=`] };
    assert.equal((await fetchRaw(proxy.target(), '/', alice)).text, `${scheme} YWxpY2U=`);
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 401, 'somebody else, without a credential');
    await backend.noConnections();
  });

test('what one HTTP/2 stream has authenticated serves no other stream, and no other client', async () => {
  await using backend = await startBackend(loginOfConnection());
  await using proxy = await startProxy(forwardTo([backend.address], { ...H2C, route: ONCE }));
  const alice = await connectHttp2(proxy.target());
  const credential = { authorization: 'Negotiate YWxpY2U=' };
  assert.equal((await alice.request('/', credential).answer).text, 'Negotiate YWxpY2U=');
  assert.equal((await alice.request('/').answer).status, 401);
  const bob = await connectHttp2(proxy.target());
  assert.equal((await bob.request('/').answer).status, 401);
  await alice.close();
  await bob.close();
});

test('Basic and Bearer credentials speak of a request: their connection is used again', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(forwardTo([backend.address], { route: ONCE }));
  for (const credential of ['Basic YTpi', 'Bearer negotiate'])
    await fetchRaw(proxy.target(), '/', { headers: ['Authorization', credential] });
  assert.equal(backend.connections.total, 1);
});
