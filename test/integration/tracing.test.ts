// Traces: passed on, begun, and exported to a collector that may be away.
import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { echo, inTurn, resetBeforeHead } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const ASKED = ['traceparent', `00-${TRACE}-${PARENT}-01`, 'tracestate', 'vendor=1'];

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly status: { readonly code?: number };
}

/** Takes spans, and tells when so many are there. */
class Collector implements AsyncDisposable {
  readonly spans: Span[] = [];
  readonly paths: (string | undefined)[] = [];
  #waiting: (() => void)[] = [];
  readonly #server = http.createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    this.paths.push(request.url);
    for (const { scopeSpans } of JSON.parse(text).resourceSpans) this.spans.push(...scopeSpans[0].spans);
    response.end('{}');
    for (const wake of this.#waiting.splice(0)) wake();
  });

  async start(): Promise<string> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  async count(atLeast: number): Promise<void> {
    while (this.spans.length < atLeast) await new Promise<void>(resolve => this.#waiting.push(resolve));
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }
}

const seen = (text: string, name: string) => value(JSON.parse(text).headers, name);

test('without a collector a trace passes byte for byte, and its id is in the log; switched off, it ends here', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startProxy(forwardTo([backend.address]));
  const { text } = await fetchRaw(proxy.target(), '/', { headers: ASKED });
  assert.deepEqual([seen(text, 'traceparent'), seen(text, 'tracestate')], [ASKED[1], 'vendor=1']);
  await proxy.lines.next({ traceId: TRACE });
  await using closed = await startProxy({ ...forwardTo([backend.address]), tracing: { propagate: false } });
  const nothing = await fetchRaw(closed.target(), '/', { headers: ASKED });
  assert.deepEqual([seen(nothing.text, 'traceparent'), seen(nothing.text, 'tracestate')], [null, null]);
});

test('without a collector a trace begins here too, under the id of the request; switched off, it does not', async () => {
  await using backend = await startBackend(inTurn(resetBeforeHead(), echo()));
  await using proxy = await startProxy(forwardTo([backend.address]));
  const { text, headers } = await fetchRaw(proxy.target(), '/', { headers: ['tracestate', 'orphan=1'] });
  const traceId = value(headers, 'x-request-id')?.replaceAll('-', '') ?? '';
  assert.match(seen(text, 'traceparent') ?? '', new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  assert.equal(seen(text, 'tracestate'), null, 'it belongs to no trace');
  const line = await proxy.lines.next({ traceId });
  assert.equal((line['attempts'] as unknown[]).length, 2);
  const first = value(backend.requests[0]?.headers ?? [], 'traceparent');
  assert.equal(first, seen(text, 'traceparent'), 'each attempt belongs to it');

  const unreadable = await fetchRaw(proxy.target(), '/', {
    headers: ['traceparent', '00-0-0-0', 'tracestate', 'a=1'],
  });
  assert.match(seen(unreadable.text, 'traceparent') ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  assert.equal(seen(unreadable.text, 'tracestate'), null);

  await using quiet = await startProxy({ ...forwardTo([backend.address]), tracing: { start: false } });
  assert.equal(seen((await fetchRaw(quiet.target(), '/')).text, 'traceparent'), null);
});

test('a failed attempt and its retry are two spans below ours, and the backend sees the span of its own attempt', async () => {
  await using collector = new Collector();
  const endpoint = await collector.start();
  await using backend = await startBackend(inTurn(resetBeforeHead(), echo()));
  await using proxy = await startProxy({ ...forwardTo([backend.address]), tracing: { otlp: { endpoint } } });
  const { text } = await fetchRaw(proxy.target(), '/', { headers: ASKED });
  await collector.count(3);
  const server = collector.spans.find(({ kind }) => kind === 2);
  const clients = collector.spans.filter(({ kind }) => kind === 3);
  assert.deepEqual([server?.traceId, server?.parentSpanId], [TRACE, PARENT]);
  assert.deepEqual(
    clients.map(({ parentSpanId, status }) => [parentSpanId, status.code]),
    [
      [server?.spanId, 2],
      [server?.spanId, undefined],
    ],
  );
  assert.equal(seen(text, 'traceparent'), `00-${TRACE}-${clients[1]?.spanId}-01`);
  assert.equal(seen(text, 'tracestate'), 'vendor=1');
  assert.deepEqual(collector.paths, ['/v1/traces']);
});

test('a trace starts here if there is none, and a trace that is not sampled is not exported', async () => {
  await using collector = new Collector();
  const endpoint = await collector.start();
  await using backend = await startBackend(echo());
  const config = (sample: number) => ({
    ...forwardTo([backend.address]),
    tracing: { otlp: { endpoint, sample } },
  });
  await using all = await startProxy(config(1));
  const begun = seen((await fetchRaw(all.target(), '/')).text, 'traceparent');
  assert.match(begun ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  await collector.count(2);
  await all.stop();
  const none = await startProxy(config(0));
  assert.match(seen((await fetchRaw(none.target(), '/')).text, 'traceparent') ?? '', /-00$/);
  await none.stop(); // sends what it has
  assert.equal(collector.spans.length, 2);
});

test('without its collector the proxy serves as before, counts lost spans, and reports it once', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startProxy({
    ...forwardTo([backend.address], { admin: { address: '127.0.0.1:0' } }),
    tracing: { otlp: { endpoint: 'http://127.0.0.1:1', sample: 1 } },
  });
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  const line = await proxy.lines.next({ event: 'tracing_export' });
  assert.match(String(line['why']), /ECONNREFUSED/);
  const { text } = await fetchRaw(proxy.admin(), '/metrics', { headers: ['Host', 'localhost'] });
  assert.match(text, /fairlead_spans_dropped_total\{cause="send_failed"\} 2\n/);
});
