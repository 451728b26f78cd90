// Goal: a stream of HTTP/2 becomes exactly one request for the backend, or none, in HTTP/1.1 and in HTTP/2. Method: a table of
// field blocks that no client library would send; behind each, another stream and another client get their own responses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { block, connectWire, type Field, FLAG, frame, getRequest, TYPE } from '../support/http2_wire.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startRecordingBackend } from '../support/recording_backend.ts';
import { startRecordingHttp2 } from '../support/recording_http2.ts';
import { HTTP2_REQUESTS, type Http2Row } from './smuggling/http2_requests.ts';

checkLeaks();

const ROW_MS_MAX = 10_000;

/** As far as a backend of either protocol knows it. */
interface Seen {
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}
interface Recorder {
  readonly requests: readonly Seen[];
  readonly violations: readonly string[];
}

for (const [protocol, startBackend] of [
  ['http1', () => startRecordingBackend()],
  ['h2c', () => startRecordingHttp2()],
] as const) {
  test(`a stream is one request for a backend of ${protocol}, or none`, async t => {
    await using backend = await startBackend();
    await using proxy = await startProxy(
      forwardTo([backend.address], {
        // All attacks come from one client.
        listener: { h2c: true, limits: { floodPenalty: 'off' } },
        cluster: { protocol, pool: { connections: 1 } },
        route: { retries: { attempts: 0 } },
      }),
    );
    for (const [at, row] of HTTP2_REQUESTS.entries())
      await t.test(row.name, { timeout: ROW_MS_MAX }, () => attack(row, at, proxy, backend));
  });
}

async function attack(row: Http2Row, at: number, proxy: ProxyInProcess, backend: Recorder): Promise<void> {
  const before = backend.requests.length;
  const wrongBefore = backend.violations.length;
  using client = connectWire(proxy.target());
  client.send(...framesOf(row));
  const { status, resetCode } = await client.answer(1);
  if (row.gets === 'reset')
    assert.deepEqual([status, resetCode !== null], [0, true], `${status}, ${resetCode}`);
  else if (row.gets === 'goaway') assert.notEqual(await client.closed, null);
  else assert.equal(status, row.gets);

  const canaries = [`/other-client/${at}`];
  if (row.gets !== 'goaway') {
    canaries.unshift(`/same-client/${at}`);
    client.send(getRequest(3, `/same-client/${at}`));
    assert.equal((await client.answer(3)).body, `/same-client/${at}`, 'the connection goes on');
  }
  assert.equal((await fetchRaw(proxy.target(), `/other-client/${at}`)).text, `/other-client/${at}`);

  assert.deepEqual(backend.violations.slice(wrongBefore), []);
  const seen = backend.requests.slice(before);
  assert.deepEqual(
    seen.map(({ target }) => target),
    [...(row.body === null ? [] : ['/attack']), ...canaries],
  );
  if (row.body === null) return;
  assert.equal(seen[0]?.body.toString('latin1'), row.body);
  const lines = linesOf(seen[0]?.headers ?? []);
  const isDropped = row.dropped !== null && row.dropped !== 'host'; // to HTTP/1.1 the authority goes as Host
  if (isDropped) assert(!lines.some(line => line.startsWith(`${row.dropped}:`)), `${lines}`);
  for (const line of row.sent) assert(lines.includes(line), `${line} in ${lines}`);
}

function framesOf({ fields, data, trailers }: Http2Row): Buffer[] {
  const last = (is: boolean) => (is ? FLAG.endStream : 0);
  const headers = (list: readonly Field[], isLast: boolean) =>
    frame(TYPE.headers, FLAG.endHeaders | last(isLast), 1, block(list));
  return [
    headers(fields, data.length === 0 && trailers === null),
    ...data.map((text, at) =>
      frame(TYPE.data, last(at === data.length - 1 && trailers === null), 1, Buffer.from(text, 'latin1')),
    ),
    ...(trailers === null ? [] : [headers(trailers, true)]),
  ];
}

function linesOf(headers: readonly string[]): string[] {
  return headers.flatMap((name, at) => (at % 2 === 0 ? [`${name.toLowerCase()}: ${headers[at + 1]}`] : []));
}
