// WebSocket handshakes as backends answer them, right and wrong: the client learns the truth, and nothing is left behind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurn, webSocketAccept, write } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { type Behaviour, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = `Sec-WebSocket-Accept: ${webSocketAccept(KEY)}\r\n`;
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
const OFFER = {
  headers: [
    ...['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Version', '13'],
    ...['Sec-WebSocket-Key', KEY, 'Sec-WebSocket-Protocol', 'chat, log'],
  ],
};

/** These bytes are the answer to the handshake; the connection stays open. */
function says(bytes: string): Behaviour {
  return async request => {
    await write(request, bytes);
    return 'over' as const;
  };
}

function switching(fields: string): string {
  return `HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`;
}

const WRONG: readonly (readonly [name: string, answer: string, detail: RegExp])[] = [
  ['no Sec-WebSocket-Accept', switching(UPGRADE), /no Sec-WebSocket-Accept/],
  ['a wrong Sec-WebSocket-Accept', switching(`${UPGRADE}Sec-WebSocket-Accept: x\r\n`), /does not match/],
  ['another protocol', switching(`Connection: Upgrade\r\nUpgrade: h2c\r\n${ACCEPT}`), /"h2c"/],
  ['no Upgrade', switching(ACCEPT), /does not switch/],
  [
    'a subprotocol that was not offered',
    switching(`${UPGRADE}${ACCEPT}Sec-WebSocket-Protocol: admin\r\n`),
    /"admin" was not offered/,
  ],
  [
    'an extension that was not offered',
    switching(`${UPGRADE}${ACCEPT}Sec-WebSocket-Extensions: permessage-deflate; x=1\r\n`),
    /"permessage-deflate" was not offered/,
  ],
  [
    'a head above 64 KiB',
    switching(`${UPGRADE}${ACCEPT}X-Big: ${'x'.repeat(70_000)}\r\n`),
    /larger than 64 KiB/,
  ],
  ['bytes that are no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', /Not a valid HTTP/],
];

for (const [name, bytes, detail] of WRONG)
  test(`a 101 with ${name} is answered 502 bad_response, and the log says what is wrong`, async () => {
    await using backend = await startBackend(says(bytes));
    await using proxy = await startProxy(
      forwardTo([backend.address], { route: { retries: { attempts: 0 } } }),
    );
    assert.equal((await fetchRaw(proxy.target(), '/', OFFER)).status, 502);
    const line = await proxy.lines.next({ path: '/' });
    assert.equal(line.reason, 'bad_response');
    assert.match(String(line.detail), detail);
    await backend.noConnections();
  });

test('a WebSocket whose 101 has a head of 40 KiB, comes after 103, and chooses an offered subprotocol works', async () => {
  const fields = `${UPGRADE}${ACCEPT}Sec-WebSocket-Protocol: log\r\nX-Big: ${'x'.repeat(40_000)}\r\n`;
  const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
  await using backend = await startBackend(says(`${hints}${switching(fields)}bytes`));
  await using proxy = await startProxy(forwardTo([backend.address]));
  using client = await connectRaw(proxy.target());
  void client.send(formatRequest('/', OFFER));
  const head = await client.head();
  assert.deepEqual([head.status, head.information[0]?.status], [101, 103]);
  assert.equal(value(head.headers, 'sec-websocket-protocol'), 'log');
  assert.equal((await client.reader.some())?.toString(), 'bytes');
});

test('the edits of headers.response hold for a 101 and for a refusal, and cannot break the handshake', async () => {
  const refusal = 'HTTP/1.1 403 Forbidden\r\nServer: app\r\nContent-Length: 2\r\n\r\nno';
  const accepted = switching(`${UPGRADE}${ACCEPT}Server: app\r\n`);
  await using backend = await startBackend(inTurn(says(refusal), says(accepted)));
  const response = { remove: ['server', 'sec-websocket-accept'], set: { 'X-Edge': 'yes' } };
  await using proxy = await startProxy(forwardTo([backend.address], { route: { headers: { response } } }));
  for (const status of [403, 101]) {
    using client = await connectRaw(proxy.target());
    void client.send(formatRequest('/', OFFER));
    const head = await client.head();
    assert.equal(head.status, status);
    assert.equal(value(head.headers, 'server'), null);
    assert.equal(value(head.headers, 'x-edge'), 'yes');
    if (status === 101) assert.equal(value(head.headers, 'sec-websocket-accept'), webSocketAccept(KEY));
  }
});

/** Two endpoints: whichever is asked first stalls in the body of its 503, the other one answers with `then`. */
async function repeated(then: Behaviour, request: Buffer, status: number): Promise<void> {
  let asked = 0;
  const stalled = says('HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\nhalf');
  const either: Behaviour = request => (asked++ === 0 ? stalled : then)(request);
  await using first = await startBackend(either);
  await using second = await startBackend(either);
  const retries = { attempts: 1, on: ['503'] };
  await using proxy = await startProxy(forwardTo([first.address, second.address], { route: { retries } }));
  using client = await connectRaw(proxy.target());
  void client.send(request);
  assert.equal((await client.head()).status, status);
  await Promise.race([first.noConnections(), second.noConnections()]);
  assert.equal(first.connections.open + second.connections.open, 1, 'the answer that is wanted goes on');
}

test('a handshake that is repeated after a 503 whose body stalls gives the first connection back', async () => {
  await repeated(says(switching(`${UPGRADE}${ACCEPT}`)), formatRequest('/', OFFER), 101);
});

test('an event stream that follows a discarded 503 does not keep the connection of that one', async () => {
  const stream = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n';
  await repeated(says(stream), formatRequest('/events'), 200);
});

test('a connection that has become a tunnel is counted as one', async () => {
  await using backend = await startBackend(says(switching(`${UPGRADE}${ACCEPT}`)));
  await using proxy = await startProxy(forwardTo([backend.address]));
  const states = () => proxy.proxy.runtime.connections.countByState().get('main');
  using client = await connectRaw(proxy.target());
  await client.send(formatRequest('/', OFFER));
  assert.equal((await client.answer()).status, 101);
  assert.deepEqual(states(), { new: 0, active: 0, idle: 0, tunnel: 1 });
  client.destroy();
  await proxy.lines.next({ status: 101 });
});
