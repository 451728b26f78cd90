// Phase 1: what strangers can do to a listener, with real sockets.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { answer, echo, staySilent } from '../support/backend_behaviours.ts';
import * as certificates from '../support/certificates.ts';
import { value } from '../support/http1_message.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy, startProxyProcess } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { type Behaviour, type ScriptedBackend, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

async function behind(
  listener: Record<string, unknown>,
  use: (proxy: ProxyInProcess, backend: ScriptedBackend) => Promise<void>,
  behaviour: Behaviour = echo(),
): Promise<void> {
  const backend = await startBackend(behaviour);
  const proxy = await startProxy(forwardTo([backend.address], { listener }));
  try {
    await use(proxy, backend);
  } finally {
    await proxy.stop();
    await backend.close();
  }
}

test('a client that sends its head byte by byte is closed with 408 at the head timeout, with one line', async () => {
  await behind({ timeouts: { head: '200ms' } }, async proxy => {
    const client = await connectRaw(proxy.target());
    await client.send('GET / HTTP/1.1\r\nX-Slow: ');
    const drip = setInterval(() => client.socket.write('a'), 20);
    const got = await client.answer();
    clearInterval(drip);
    assert.equal(got.status, 408);
    assert.equal(value(got.headers, 'proxy-status'), 'fairlead; error=http_request_error');
    await client.ended;
    client.destroy();
    const line = await proxy.lines.next({ status: 408 });
    assert.equal(line['reason'], 'client_timeout');
    assert.equal(proxy.lines.find({ status: 408 }).length, 1);
  });
});

const REFUSED: readonly (readonly [what: string, bytes: string, status: number, reason: string])[] = [
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400, 'bad_request'],
  ['two Host fields', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'bad_request'],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'bad_request'],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    400,
    'bad_request',
  ],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
    400,
    'bad_request',
  ],
  ['a folded field', 'GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n', 400, 'bad_request'],
  ['a space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400, 'bad_request'],
  ['an encoded NUL', 'GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad_request'],
  ['a path that climbs', 'GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad_request'],
  ['a wrong version', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 400, 'bad_request'],
  ['CONNECT', 'CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\n', 501, 'method_not_supported'],
  ['a long target', `GET /${'a'.repeat(500)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414, 'uri_too_long'],
  ['many fields', `GET / HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(30)}\r\n`, 431, 'head_too_large'],
  ['a long head', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(2_000)}\r\n\r\n`, 431, 'head_too_large'],
  [
    'a large body, announced',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n',
    413,
    'body_too_large',
  ],
  [
    'a large body, in chunks',
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n${'a'.repeat(2_000)}\r\n0\r\n\r\n`,
    413,
    'body_too_large',
  ],
];

const TIGHT = { headBytes: '1KiB', headerCount: 20, uriBytes: '256B', bodyBytes: '1KiB' };

for (const [what, bytes, status, reason] of REFUSED) {
  test(`${what}: ${status} ${reason}, one line, and the reason in the answer`, async () => {
    await behind({ limits: TIGHT }, async (proxy, backend) => {
      const client = await connectRaw(proxy.target());
      void client.send(Buffer.from(bytes, 'latin1'));
      const got = await client.answer();
      client.destroy();
      assert.equal(got.status, status);
      assert.match(got.text, new RegExp(reason));
      assert.match(value(got.headers, 'proxy-status') ?? '', /^fairlead; error=/);
      const line = await proxy.lines.next({ reason });
      assert.equal(line['status'], status);
      assert.equal(proxy.lines.all.filter(entry => entry['status'] !== undefined).length, 1, 'one line');
      if (what !== 'a large body, in chunks')
        assert.equal(backend.requests.length, 0, 'no backend was asked');
    });
  });
}

test('clients with mixed garbage never disturb a good one', async () => {
  await behind({ limits: TIGHT }, async proxy => {
    const good = await connectRaw(proxy.target());
    const noise = async (): Promise<void> => {
      for (const [, bytes] of REFUSED) {
        const client = await connectRaw(proxy.target());
        void client.send(Buffer.from(bytes, 'latin1')).catch(() => {});
        await client.answer().catch(() => {});
        client.reset();
      }
    };
    const disturbing = Promise.all(Array.from({ length: 20 }, noise));
    let over = false;
    void disturbing.then(() => {
      over = true;
    });
    let served = 0;
    while (!over) {
      await good.send(formatRequest('/good'));
      assert.equal((await good.answer()).status, 200);
      served++;
    }
    good.destroy();
    assert.ok(served > 10, `${served} good requests among the garbage`);
  });
});

test('over the limit a connection is refused at once and counted, and others go on', async () => {
  await behind({ limits: { connectionsPerIp: 2 } }, async proxy => {
    const first = await connectRaw(proxy.target());
    const second = await connectRaw(proxy.target());
    // The reset may come before the client has seen its connection, or after.
    await connectRaw(proxy.target()).then(
      async third => assert.equal(await third.ended, 'reset'),
      error => assert.equal(error.code, 'ECONNRESET'),
    );
    const line = await proxy.lines.next({ event: 'connections_refused' });
    assert.deepEqual([line['cause'], line['count']], ['clientIp', 1]);
    const elsewhere = await fetchRaw({ ...proxy.target(), localAddress: '127.0.0.2' }, '/');
    assert.equal(elsewhere.status, 200, 'another client is not concerned');
    await first.send(formatRequest('/'));
    assert.equal((await first.answer()).status, 200);
    first.destroy();
    second.destroy();
  });
});

test('a trusted proxy holds the connections of many clients, and connectionsPerIp does not count them', async () => {
  await behind({ limits: { connectionsPerIp: 2 }, trustedProxies: ['127.0.0.1'] }, async proxy => {
    const clients = [];
    for (let count = 0; count < 5; count++) {
      const client = await connectRaw(proxy.target());
      await client.send(formatRequest('/'));
      assert.equal((await client.answer()).status, 200);
      clients.push(client);
    }
    for (const client of clients) client.destroy();
  });
});

test('a request that waits for its body longer than bodyIdle is 408', async () => {
  await behind({ timeouts: { bodyIdle: '150ms' } }, async proxy => {
    const client = await connectRaw(proxy.target());
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc');
    assert.equal((await client.answer()).status, 408);
    client.destroy();
    assert.equal((await proxy.lines.next({ status: 408 }))['reason'], 'client_timeout');
  });
});

test('an idle connection is closed after keepAliveIdle', async () => {
  await behind({ timeouts: { keepAliveIdle: '100ms' } }, async proxy => {
    const client = await connectRaw(proxy.target());
    await client.send(formatRequest('/'));
    await client.answer();
    assert.equal(await client.ended, 'end');
    client.destroy();
  });
});

test('after requestsPerConnection the answer says close', async () => {
  await behind({ limits: { requestsPerConnection: 2 } }, async proxy => {
    const client = await connectRaw(proxy.target());
    await client.send(formatRequest('/'));
    assert.equal(value((await client.answer()).headers, 'connection'), 'keep-alive');
    await client.send(formatRequest('/'));
    assert.equal(value((await client.answer()).headers, 'connection'), 'close');
    await client.ended;
    client.destroy();
  });
});

test('pipelined requests are answered in order', async () => {
  await behind({}, async proxy => {
    const client = await connectRaw(proxy.target());
    await client.send(Buffer.concat([formatRequest('/1'), formatRequest('/2'), formatRequest('/3')]));
    for (const path of ['/1', '/2', '/3'])
      assert.match((await client.answer()).text, new RegExp(`"${path}"`));
    client.destroy();
  });
});

test('TLS with ALPN: HTTP/2 and HTTP/1.1 on one port', async () => {
  const tls = {
    certificates: [{ certFile: certificates.server.certFile, keyFile: certificates.server.keyFile }],
  };
  await behind({ tls }, async proxy => {
    const options = { ca: certificates.ca, servername: 'localhost' };
    const one = await fetchRaw({ ...proxy.target(), tls: options }, '/');
    assert.equal(one.status, 200);
    assert.match(one.text, /"X-Forwarded-Proto","https"/);
    const two = await connectHttp2({ ...proxy.target(), tls: options });
    assert.equal((await two.request('/').answer).status, 200);
    await two.close();
    const line = await proxy.lines.next({ protocol: 'HTTP/2.0' });
    assert.equal(line['tls'], 'TLSv1.3');
  });
});

test('HTTP/2 and HTTP/1.1 in clear on one port where h2c is on', async () => {
  await behind({ h2c: true }, async proxy => {
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
    const client = await connectHttp2(proxy.target());
    assert.equal((await client.request('/').answer).status, 200);
    await client.close();
  });
});

test('a Unix socket serves, and a stale one is replaced', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-socket-'));
  const path = join(folder, 'main.sock');
  const backend = await startBackend(echo());
  for (const round of ['first', 'second']) {
    const proxy = await startProxy(forwardTo([backend.address], { listener: { address: `unix:${path}` } }));
    assert.equal((await fetchRaw({ path }, '/')).status, 200, round);
    await proxy.stop();
  }
  await backend.close();
  rmSync(folder, { recursive: true });
});

test('a port that is taken is reported with what to do', async () => {
  await behind({}, async (proxy, backend) => {
    const taken = forwardTo([backend.address], { listener: { address: `127.0.0.1:${proxy.target().port}` } });
    await assert.rejects(
      startProxy(taken),
      /cannot listen on 127\.0\.0\.1:\d+: this process uses it already/,
    );
  });
});

test('a request id from outside is believed from a trusted peer only, and is echoed', async () => {
  const id = 'abcdefgh-12345678';
  await behind({ trustedProxies: ['127.0.0.1/32'] }, async proxy => {
    const trusted = await fetchRaw(proxy.target(), '/', { headers: ['X-Request-Id', id] });
    assert.equal(value(trusted.headers, 'x-request-id'), id);
    const odd = await fetchRaw(proxy.target(), '/', { headers: ['X-Request-Id', 'short'] });
    assert.notEqual(value(odd.headers, 'x-request-id'), 'short');
    const stranger = await fetchRaw({ ...proxy.target(), localAddress: '127.0.0.3' }, '/', {
      headers: ['X-Request-Id', id],
    });
    assert.match(value(stranger.headers, 'x-request-id') ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });
});

test('2,000 idle keep-alive connections for a minute do not grow the heap', {
  timeout: 120_000,
}, async () => {
  const backend = await startBackend(answer({ body: 'ok' }));
  const proxy = await startProxyProcess(
    forwardTo([backend.address], { listener: { limits: { connectionsPerIp: 'off' } } }),
  );
  const clients = await Promise.all(Array.from({ length: 2_000 }, () => connectRaw(proxy.target())));
  for (const client of clients) {
    await client.send(formatRequest('/'));
    await client.answer();
  }
  const before = await residentBytes(proxy.pid);
  const alive = new Promise(resolve => setTimeout(resolve, 60_000)); // the promise is about a minute
  await alive;
  const grownBytes = (await residentBytes(proxy.pid)) - before;
  assert.ok(grownBytes < 16 * 1024 * 1024, `grew by ${grownBytes} bytes`);
  await clients[1_999]?.send(formatRequest('/'));
  assert.equal((await clients[1_999]?.answer())?.status, 200, 'and they still serve');
  for (const client of clients) client.destroy();
  await proxy.stop();
  await backend.close();
});

async function residentBytes(pid: number): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

test('a silent backend and a gone client leave nothing behind', async () => {
  await behind(
    {},
    async (proxy, backend) => {
      const clients = await Promise.all(Array.from({ length: 20 }, () => connectRaw(proxy.target())));
      for (const client of clients) await client.send(formatRequest('/'));
      await backend.requestCount(20);
      for (const client of clients) client.reset();
      await backend.noConnections();
      await proxy.lines.next({ status: 499 }, 20);
    },
    staySilent(),
  );
});
