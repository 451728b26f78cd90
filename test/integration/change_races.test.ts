// Changes that come at a bad moment or bring bad material: a reload, a drain and the export of spans, each with
// something in its way. The process lives, says what is wrong, and ends when it should.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http, { type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { OtlpExporter } from '../../src/observability/otlp_exporter.ts';
import type { Span } from '../../src/observability/otlp_spans.ts';
import { after, answer, echo } from '../support/backend_behaviours.ts';
import * as certificates from '../support/certificates.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, ROOT, startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest, type Target } from '../support/raw_client.ts';
import { closedPort, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const NOWHERE = '127.0.0.1:1';

/** Answers everything with `text`, and has these listeners. */
const saying = (text: string, listeners: Readonly<Record<string, unknown>> = {}, main = {}) =>
  forwardTo([NOWHERE], {
    route: { respond: { status: 200, body: text }, forward: undefined },
    listener: main,
    listeners,
  });

// ---- material that a parser accepts and OpenSSL does not

/** RSA with 512 bits: below every security level. Secret to nobody and good for nothing. */
const WEAK_KEY = `-----BEGIN PRIVATE KEY-----
MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEArsiGDjV5MEEBnT+E
HAiuQ9ygyukzr6YcgJpQu3IbR9YHCO6IgesM4gsEkGPMv20WkbXAEnh3Mbb02lcs
N73+9wIDAQABAkBEgXYBpbXdUu1mC9ok/sYG9TfUsDjA9NOhGFriTWQh8Dy5Z9Og
ZfAtRfplKYdrEHtTzeoqqzAtXsqZvNzFshLZAiEA1LZfXhwI1/QLG32O3aokuy2M
UeIiIjwYwOyKAiCYNCUCIQDSWir5zQcGn/u1QhyiavFJ+kJiyq3dreHQOPOPD8tN
6wIgZ3dGMDqmupSEipyqT3whXcKsDHBYdhqRV9Y20w4TutkCIGZBxRCIdfjnfuJf
kDH4kPGogesqohjYtaSWevg58lgfAiEAxduC+WswfFHR+jz80gpiphiq6UoSFlCW
2+YmIzf8JXM=
-----END PRIVATE KEY-----
`;
const WEAK_CERT = `-----BEGIN CERTIFICATE-----
MIIBlzCCAUGgAwIBAgIUBcECFTWcuZQ6mdw4vSYh/5E6FiIwDQYJKoZIhvcNAQEL
BQAwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA4MTYzM1oYDzIxMjYx
MDI4MDgxNjMzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwXDANBgkqhkiG9w0BAQEF
AANLADBIAkEArsiGDjV5MEEBnT+EHAiuQ9ygyukzr6YcgJpQu3IbR9YHCO6IgesM
4gsEkGPMv20WkbXAEnh3Mbb02lcsN73+9wIDAQABo2kwZzAdBgNVHQ4EFgQUWRD/
4bCow9TjQYPm9351vV/25iwwHwYDVR0jBBgwFoAUWRD/4bCow9TjQYPm9351vV/2
5iwwDwYDVR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwDQYJKoZI
hvcNAQELBQADQQCN1UDRc74J28t77P09mT68VOrxsYm0bQvaRISY/Va4jVnHXORO
Ysd+NZbx4Uuwq11uw12eepYbKmkHC1Kv0v2w
-----END CERTIFICATE-----
`;
const DAMAGED = '-----BEGIN CERTIFICATE-----\nMIIBgarbage\n-----END CERTIFICATE-----\n';

const REFUSED = {
  'with a key that is too short': {
    cert: WEAK_CERT,
    key: WEAK_KEY,
    why: /OpenSSL rejects site\.crt: .*key too small/,
  },
  'with a damaged chain': {
    cert: certificates.server.cert + DAMAGED,
    key: certificates.server.key,
    why: /OpenSSL rejects site\.crt: \w+/,
  },
};

/** Beside the configuration, where its relative paths point. */
function writePair(proxy: ProxyInProcess, { cert, key }: { cert: string; key: string }): void {
  writeFileSync(join(dirname(proxy.configFile), 'site.crt'), cert);
  writeFileSync(join(dirname(proxy.configFile), 'site.key'), key);
}

const SITE = { certFile: 'site.crt', keyFile: 'site.key' };
const TLS = { ca: certificates.ca, servername: 'localhost' };

for (const [what, refused] of Object.entries(REFUSED)) {
  test(`a certificate ${what} is an error of the configuration, and the old one serves on`, async () => {
    const config = (text: string, pair: unknown) => saying(text, {}, { tls: { certificates: [pair] } });
    const { certFile, keyFile } = certificates.server;
    await using proxy = await startProxy(config('old plan', { certFile, keyFile }));
    writePair(proxy, refused);
    proxy.rewrite(config('new plan', SITE));

    const result = await proxy.proxy.reload('signal');
    assert(result.kind === 'rejected');
    assert.equal(result.problems.length, 1);
    assert.match(
      result.problems[0] ?? '',
      /^fairlead\.yaml:\d+:\d+: listeners\.main\.tls\.certificates\[0\]\.certFile: /,
    );
    assert.match(result.problems[0] ?? '', refused.why);
    assert.equal((await fetchRaw({ ...proxy.target(), tls: TLS }, '/')).text, 'old plan');

    const { configFile } = proxy;
    const check = [join(ROOT, 'src/main.ts'), 'check', '--config', configFile];
    await assert.rejects(
      promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', ...check]),
      { code: 78, stderr: refused.why },
    );

    writePair(proxy, certificates.server);
    assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
    assert.equal((await fetchRaw({ ...proxy.target(), tls: TLS }, '/')).text, 'new plan');
  });

  test(`a client certificate of a cluster ${what} is an error of the configuration, and the old plan serves on`, async () => {
    await using backend = await startBackend(answer({ body: 'old plan' }));
    await using proxy = await startProxy(forwardTo([backend.address]));
    writePair(proxy, refused);
    proxy.rewrite(forwardTo([backend.address], { cluster: { tls: SITE } }));
    const result = await proxy.proxy.reload('signal');
    assert(result.kind === 'rejected');
    assert.match(result.problems.join('\n'), /^fairlead\.yaml:\d+:\d+: clusters\.app\.tls\.certFile: .*$/);
    assert.match(result.problems.join('\n'), refused.why);
    assert.equal((await fetchRaw(proxy.target(), '/')).text, 'old plan');
  });
}

// ---- connections that come while a reload is not decided yet

/** The name server of `late.test` says nothing until it is told to; a reload that binds it waits meanwhile. */
function holdName(context: TestContext) {
  type Callback = (error: Error | null, addresses: { address: string; family: number }[]) => void;
  const { promise: asked, resolve: ask } = Promise.withResolvers<Callback>();
  const lookup = dns.lookup as unknown as (host: string, options: unknown, callback: Callback) => void;
  context.mock.method(dns, 'lookup', (host: string, options: unknown, callback: Callback) => {
    if (host === 'late.test') ask(callback);
    else lookup(host, options, callback);
  });
  return {
    /** A listener is about to be bound to the name. */
    asked: asked.then(() => {}),
    resolve: async () => (await asked)(null, [{ address: '127.0.0.1', family: 4 }]),
    fail: async () => (await asked)(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []),
  };
}

/** A reload that has bound the listener `early`, and waits for the name of the listener `late`. */
async function heldReload(context: TestContext, early: Readonly<Record<string, unknown>> = {}) {
  const name = holdName(context);
  const proxy = await startProxy(saying('old plan'));
  const port = await closedPort(); // asked for when the proxy has its own
  const listeners = {
    early: { address: `127.0.0.1:${port}`, ...early },
    late: { address: `late.test:${await closedPort()}` },
  };
  proxy.rewrite(saying('new plan', listeners));
  const reloading = proxy.proxy.reload('signal');
  await name.asked;
  return { name, proxy, port, reloading, [Symbol.asyncDispose]: () => proxy.stop() };
}

interface Client {
  readonly listener: Readonly<Record<string, unknown>>;
  /** Connects and asks; the answer comes when it comes. */
  readonly ask: (port: number) => Promise<{ text: Promise<string>; close: () => void }>;
}

const askRaw = (tls?: Target['tls']) => async (port: number) => {
  const client = await connectRaw({ port, ...(tls === undefined ? {} : { tls }) });
  await client.send(formatRequest('/'));
  return { text: client.answer().then(({ text }) => text), close: client.destroy };
};
const askHttp2 = (tls?: Target['tls']) => async (port: number) => {
  const client = await connectHttp2({ port, ...(tls === undefined ? {} : { tls }) });
  const { answer: answering } = client.request('/');
  return { text: answering.then(({ text }) => text), close: () => void client.close() };
};
const { certFile, keyFile } = certificates.server;
const SECURE = { tls: { certificates: [{ certFile, keyFile }] } };

const CLIENTS: Readonly<Record<string, Client>> = {
  'HTTP/1.1': { listener: {}, ask: askRaw() },
  'HTTP/1.1 where h2c is spoken too': { listener: { h2c: true }, ask: askRaw() },
  'HTTP/2 by prior knowledge': { listener: { h2c: true }, ask: askHttp2() },
  'HTTP/1.1 over TLS': { listener: SECURE, ask: askRaw(TLS) },
  'HTTP/2 over TLS': { listener: SECURE, ask: askHttp2(TLS) },
};

for (const [protocol, { listener, ask }] of Object.entries(CLIENTS)) {
  test(`who is early at a new listener (${protocol}) is answered as soon as the plan with that listener is there`, async context => {
    await using scene = await heldReload(context, listener);
    const { name, proxy, port, reloading } = scene;
    const early = await ask(port);
    try {
      assert.equal((await fetchRaw(proxy.target(), '/')).text, 'old plan', 'it is still the plan');
      await name.resolve();
      assert.equal((await reloading).kind, 'applied');
      assert.equal(await early.text, 'new plan');
    } finally {
      early.close();
    }
  });
}

test('who is early at a listener that a reload could not open after all is let go, and the old plan serves on', async context => {
  await using scene = await heldReload(context);
  const { name, proxy, port, reloading } = scene;
  using idle = await connectRaw({ port });
  using asking = await connectRaw({ port });
  await asking.send(formatRequest('/'));
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'old plan');
  await name.fail();
  const result = await reloading;
  assert(result.kind === 'rejected');
  assert.match(result.problems.join('\n'), /^listener late: cannot listen on late\.test:\d+: no such name$/);
  await Promise.all([idle.ended, asking.ended]);
  assert.equal(asking.reader.buffered.length, 0, 'nobody has answered it');
  await assert.rejects(connectRaw({ port }), { code: 'ECONNREFUSED' });
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'old plan');
});

// ---- changes of a process that is about to end

test('a reload and a rollback during a drain are rejected, and the drain ends with its last request', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using backend = await startBackend(after(released, answer({ body: 'to its end' })));
  const config = (mark: string, listeners = {}) =>
    forwardTo([backend.address], {
      listeners,
      route: { headers: { response: { set: { 'x-plan': mark } } } },
    });
  await using proxy = await startProxy(config('first'));
  proxy.rewrite(config('second'));
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  const answering = fetchRaw(proxy.target(), '/');
  await backend.requestCount(1);
  const stopping = proxy.stop();
  await proxy.lines.next({ event: 'phase_changed', to: 'draining' });

  const port = await closedPort();
  proxy.rewrite(config('third', { other: { address: `127.0.0.1:${port}` } }));
  for (const change of [proxy.proxy.reload('signal'), proxy.proxy.rollback(null)]) {
    const result = await change;
    assert(result.kind === 'rejected');
    assert.match(result.problems.join('\n'), /^the process is starting or shutting down/);
  }
  await assert.rejects(connectRaw({ port }), { code: 'ECONNREFUSED' });
  release();
  assert.equal((await answering).text, 'to its end');
  await stopping;
  assert.equal(proxy.lines.find({ event: 'listener_opened', listener: 'other' }).length, 0);
});

test('a reload in progress when the process begins to end opens nothing any more', async context => {
  await using scene = await heldReload(context);
  const { name, proxy, port, reloading } = scene;
  using early = await connectRaw({ port });
  await proxy.stop();
  await name.resolve();
  const result = await reloading;
  assert(result.kind === 'rejected');
  assert.match(result.problems.join('\n'), /^the process is starting or shutting down/);
  await early.ended;
  await assert.rejects(connectRaw({ port }), { code: 'ECONNREFUSED' });
});

// ---- collectors that are in no hurry

/** A head, and then a byte now and then for about a second, unless the connection ends before. */
async function startDripping() {
  let finished = false;
  const server = net.createServer(socket => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
      let left = 50;
      const drops = setInterval(() => {
        socket.write('x');
        if (--left > 0) return;
        finished = true;
        socket.destroy();
      }, 20);
      socket.on('close', () => clearInterval(drops));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** It has said all that it had to say. */
    get finished() {
      return finished;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

test('a collector that drips holds up the end of the process for no longer than its timeout', async () => {
  await using collector = await startDripping();
  await using backend = await startBackend(echo());
  await using proxy = await startProxy({
    ...forwardTo([backend.address]),
    tracing: { otlp: { endpoint: collector.endpoint, sample: 1, timeout: '100ms' } },
  });
  await fetchRaw(proxy.target(), '/');
  await proxy.stop();
  assert.equal(collector.finished, false, 'nobody has listened to its end');
});

/** Takes batches, and answers each when the test says so. */
class Collector implements AsyncDisposable {
  readonly #arrived: { readonly spans: number; readonly response: ServerResponse }[] = [];
  #wake: () => void = () => {};
  readonly #server = http.createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    this.#arrived.push({ spans: JSON.parse(text).resourceSpans[0].scopeSpans[0].spans.length, response });
    this.#wake();
  });

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  /** The next batch. */
  async next(): Promise<{ readonly spans: number; readonly response: ServerResponse }> {
    for (;;) {
      const batch = this.#arrived.shift();
      if (batch !== undefined) return batch;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const SPAN: Span = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  name: 'GET',
  kind: 2,
  startTimeUnixNano: '0',
  endTimeUnixNano: '0',
  attributes: [],
  status: {},
};
const TIMEOUT_MS = 5_000;

/** 1,200 spans, of which a first batch is under way. */
async function exporting(collector: Collector) {
  const clock = new FakeClock();
  const counted = { exported: 0, dropped: 0, failing: [] as (string | null)[] };
  const exporter = new OtlpExporter(
    { endpoint: await collector.start(), sample: 1, timeoutMs: TIMEOUT_MS, headers: [], resource: {} },
    'test',
    {
      exported(spans) {
        counted.exported += spans;
      },
      dropped(_cause, spans) {
        counted.dropped += spans;
      },
      onFailing(why) {
        counted.failing.push(why);
      },
    },
    clock,
  );
  exporter.add(Array.from({ length: 1_200 }, () => SPAN));
  clock.advance(1_000);
  return { clock, exporter, counted, first: await collector.next() };
}

test('an exporter that is closed sends what it has, and counts as exported what the collector took', async () => {
  await using collector = new Collector();
  const { clock, exporter, counted, first } = await exporting(collector);
  const closing = exporter.close();
  const sizes = [first.spans];
  first.response.end('{}');
  while (sizes.length < 3) {
    const { spans, response } = await collector.next();
    sizes.push(spans);
    response.end('{}');
  }
  await closing;
  assert.deepEqual(sizes, [512, 512, 176]);
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(counted, { exported: 1_200, dropped: 0, failing: [] });
});

test('an exporter that is closed counts as dropped what the collector does not take, to the last span', async () => {
  await using collector = new Collector();
  const { exporter, counted, first } = await exporting(collector);
  const closing = exporter.close();
  first.response.end('{}');
  const { response } = await collector.next();
  response.writeHead(503).end();
  await closing;
  assert.deepEqual(counted, {
    exported: 512,
    dropped: 688,
    failing: ['the collector answered 503'],
  });
});

test('an exporter that is closed waits for a silent collector only until the timeout', async () => {
  await using collector = new Collector();
  const { clock, exporter, counted, first } = await exporting(collector);
  const closing = exporter.close();
  const cut = once(first.response, 'close');
  clock.advance(TIMEOUT_MS);
  await Promise.all([closing, cut]);
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(counted, {
    exported: 0,
    dropped: 1_200,
    failing: [`the collector did not answer within ${TIMEOUT_MS} ms`],
  });
});
