// HTTP/2 by frames: what a client may not send, and what it may send only so often. Each attack costs its own stream or its own
// connection, with the error that RFC 9113 names; the process goes on, and so do other clients.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { answer, staySilent } from '../support/backend_behaviours.ts';
import {
  block,
  CODE,
  connectWire,
  FLAG,
  frame,
  getRequest,
  literal,
  literalToTable,
  number32,
  requestFields,
  setting,
  TYPE,
} from '../support/http2_wire.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const STREAMS_MAX = 8;
/** All attacks come from one client, which would be refused after the first of them. */
const H2C = {
  h2c: true,
  http2: { maxConcurrentStreams: STREAMS_MAX },
  limits: { floodPenalty: 'off' },
};
const FLOOD = 20_000;
const WINDOW_MAX = 0x7fff_ffff;
const ATTACK_MS_MAX = 20_000;

/** The stream, then its dependency on another one and its weight (RFC 9113 section 6.3). */
const dependency = (on: number) => Buffer.concat([number32(on), Buffer.from([1])]);
const many = (count: number, make: (at: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, at) => make(at)));
const open = (stream: number, flags = 0) =>
  frame(TYPE.headers, FLAG.endHeaders | flags, stream, block(requestFields('POST', '/attack')));
const unfinished = frame(TYPE.headers, FLAG.endStream, 1, block(requestFields('GET', '/attack')));
const ids = (count: number, make: (stream: number) => readonly Buffer[]) =>
  many(count, at => Buffer.concat(make(2 * at + 1)));

interface Attack {
  readonly bytes: Buffer;
  /** Codes of GOAWAY that end the connection; `goes on`: it does not end; `reset`: nor does it, but stream 1 is reset. */
  readonly ends: readonly number[] | 'goes on' | { readonly reset: number };
}

const { protocolError, internalError, flowControlError, streamClosed, frameSizeError } = CODE;
/** nghttp2 says the one or the other when its own queue of answers is full. */
const FLOODED = [CODE.enhanceYourCalm, internalError];

const ATTACKS: Readonly<Record<string, Attack>> = {
  'a flood of SETTINGS (CVE-2019-9515)': {
    bytes: many(FLOOD, () => frame(TYPE.settings, 0, 0)),
    ends: FLOODED,
  },
  'SETTINGS of more than 16 entries': {
    bytes: frame(
      TYPE.settings,
      0,
      0,
      many(17, () => setting(3, 100)),
    ),
    ends: [CODE.enhanceYourCalm],
  },
  'SETTINGS of 16 entries': {
    bytes: frame(
      TYPE.settings,
      0,
      0,
      many(16, () => setting(3, 100)),
    ),
    ends: 'goes on',
  },
  'SETTINGS on a stream': { bytes: frame(TYPE.settings, 0, 1), ends: [protocolError] },
  'SETTINGS of five bytes': { bytes: frame(TYPE.settings, 0, 0, Buffer.alloc(5)), ends: [frameSizeError] },
  'an initial window above the maximum': {
    bytes: frame(TYPE.settings, 0, 0, setting(4, 0x8000_0000)),
    ends: [flowControlError],
  },
  'a flood of PING (CVE-2019-9512)': {
    bytes: many(FLOOD, () => frame(TYPE.ping, 0, 0, Buffer.alloc(8))),
    ends: FLOODED,
  },
  'answers to PINGs that nobody has sent': {
    bytes: many(FLOOD, () => frame(TYPE.ping, FLAG.ack, 0, Buffer.alloc(8))),
    ends: FLOODED,
  },
  'a PING of seven bytes': { bytes: frame(TYPE.ping, 0, 0, Buffer.alloc(7)), ends: [frameSizeError] },
  'a flood of PRIORITY (CVE-2019-9513)': {
    bytes: ids(FLOOD, stream => [frame(TYPE.priority, 0, stream, dependency(0))]),
    ends: FLOODED,
  },
  'a stream that depends on itself, by HEADERS': {
    bytes: frame(
      TYPE.headers,
      FLAG.endHeaders | FLAG.endStream | FLAG.priority,
      1,
      Buffer.concat([dependency(1), block(requestFields('GET', '/attack'))]),
    ),
    ends: [protocolError],
  },
  // Priorities are deprecated, and PRIORITY is not looked at (RFC 9113 section 5.3.2).
  'a stream that depends on itself, by PRIORITY': {
    bytes: frame(TYPE.priority, 0, 1, dependency(1)),
    ends: 'goes on',
  },
  'a flood of empty DATA (CVE-2019-9518)': {
    bytes: Buffer.concat([open(1), many(FLOOD, () => frame(TYPE.data, 0, 1))]),
    ends: FLOODED,
  },
  'a flood of CONTINUATION (CVE-2024-27316)': {
    bytes: Buffer.concat([
      unfinished,
      many(FLOOD, at => frame(TYPE.continuation, 0, 1, literal([`x${at}`, 'y']))),
    ]),
    ends: FLOODED,
  },
  'a flood of empty CONTINUATION': {
    bytes: Buffer.concat([unfinished, many(FLOOD, () => frame(TYPE.continuation, 0, 1))]),
    ends: FLOODED,
  },
  'CONTINUATION without HEADERS': {
    bytes: frame(TYPE.continuation, FLAG.endHeaders, 1),
    ends: [protocolError],
  },
  'another frame between HEADERS and CONTINUATION': {
    bytes: Buffer.concat([unfinished, frame(TYPE.ping, 0, 0, Buffer.alloc(8))]),
    ends: [protocolError],
  },
  'a flood of frames that nobody knows': {
    bytes: many(FLOOD, () => frame(0xbb, 0, 0, Buffer.alloc(8))),
    ends: FLOODED,
  },
  'a flood of GOAWAY': {
    bytes: many(FLOOD, () => frame(TYPE.goAway, 0, 0, Buffer.alloc(8))),
    ends: [CODE.noError],
  },
  'a window of the connection above the maximum': {
    bytes: frame(TYPE.windowUpdate, 0, 0, number32(WINDOW_MAX)),
    ends: [flowControlError],
  },
  'a window of a stream above the maximum': {
    bytes: Buffer.concat([open(1), frame(TYPE.windowUpdate, 0, 1, number32(WINDOW_MAX))]),
    ends: [flowControlError],
  },
  'a window that grows by nothing': {
    bytes: frame(TYPE.windowUpdate, 0, 0, number32(0)),
    ends: [protocolError],
  },
  'DATA on a stream that was never opened': {
    bytes: frame(TYPE.data, 0, 1, Buffer.from('x')),
    ends: [protocolError],
  },
  'DATA on a stream that has ended': {
    bytes: Buffer.concat([open(1, FLAG.endStream), frame(TYPE.data, 0, 1, Buffer.from('x'))]),
    ends: [streamClosed],
  },
  'DATA on no stream': { bytes: frame(TYPE.data, 0, 0, Buffer.from('x')), ends: [protocolError] },
  'DATA with more padding than bytes': {
    bytes: Buffer.concat([open(1), frame(TYPE.data, FLAG.padded, 1, Buffer.from([200, 1]))]),
    ends: [protocolError],
  },
  'a reset of a stream that was never opened': {
    bytes: frame(TYPE.resetStream, 0, 1, number32(CODE.cancel)),
    ends: [protocolError],
  },
  'HEADERS on an even stream': { bytes: getRequest(2, '/attack'), ends: [protocolError] },
  'HEADERS on no stream': { bytes: getRequest(0, '/attack'), ends: [protocolError] },
  PUSH_PROMISE: {
    bytes: frame(
      TYPE.pushPromise,
      FLAG.endHeaders,
      1,
      Buffer.concat([number32(2), block(requestFields('GET', '/attack'))]),
    ),
    ends: [protocolError],
  },
  'a DATA frame above the size that is allowed': {
    bytes: Buffer.concat([open(1), frame(TYPE.data, 0, 1, Buffer.alloc(16_385))]),
    ends: [frameSizeError],
  },
  'a HEADERS frame above the size that is allowed': {
    bytes: frame(TYPE.headers, FLAG.endHeaders, 1, Buffer.alloc(16_385)),
    ends: [frameSizeError],
  },
  'an index behind the end of the table': {
    bytes: frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, Buffer.from([0xff, 0xff, 0xff, 0x7f])),
    ends: [CODE.compressionError],
  },
  'a table above the size that is allowed': {
    bytes: frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, Buffer.from([0x3f, 0xff, 0xff, 0x7f])),
    ends: [CODE.compressionError],
  },
  'a field of the table, repeated ten thousand times': {
    bytes: frame(
      TYPE.headers,
      FLAG.endHeaders | FLAG.endStream,
      1,
      Buffer.concat([
        block(requestFields('GET', '/attack')),
        literalToTable(['x', 'y'.repeat(4_000)]),
        Buffer.alloc(10_000, 0x80 | 62), // the newest entry (RFC 7541 section 2.3.3)
      ]),
    ),
    ends: { reset: CODE.enhanceYourCalm },
  },
  'a flood of streams that are reset (CVE-2023-44487)': {
    bytes: ids(2_000, stream => [open(stream), frame(TYPE.resetStream, 0, stream, number32(CODE.cancel))]),
    ends: FLOODED,
  },
  'a flood of malformed requests': {
    bytes: ids(5_000, stream => [
      frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, stream, block([[':method', 'GET']])),
    ]),
    ends: FLOODED,
  },
  'a flood of streams above the limit': { bytes: ids(5_000, stream => [open(stream)]), ends: FLOODED },
};

test('an attack by frames costs its own stream or connection, and nobody else', async t => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(forwardTo([backend.address], { listener: H2C }));
  for (const [name, { bytes, ends }] of Object.entries(ATTACKS)) {
    await t.test(name, { timeout: ATTACK_MS_MAX }, async () => {
      using client = connectWire(proxy.target());
      client.send(bytes);
      const ended = await client.ping();
      if (Array.isArray(ends)) {
        assert.notEqual(ended, 'pong', 'the connection ends');
        const code = await client.closed;
        assert(code !== null && ends.includes(code), `GOAWAY with ${code}, not ${ends}`);
      } else {
        assert.equal(ended, 'pong', 'the connection goes on');
        if (ends !== 'goes on')
          assert.equal((await client.answer(1)).resetCode, (ends as { reset: number }).reset);
        client.send(getRequest(3, '/next'));
        assert.equal((await client.answer(3)).status, 200);
      }
      assert.equal((await fetchRaw(proxy.target(), '/other')).status, 200, 'another client is served');
    });
  }
  const seen = backend.requests.filter(({ target }) => target === '/attack').length;
  assert(seen <= 2 * STREAMS_MAX, `${seen} requests of all the floods have reached the backend`);
  await assertNothingLeft(proxy);
});

/** A head and a first byte, so that the backend has the request; then what makes us reset the stream. */
const MADE_US_RESET: Readonly<Record<string, (stream: number) => readonly [begin: Buffer, breach: Buffer]>> =
  {
    'a body that is not as long as it says': stream => [
      Buffer.concat([
        frame(
          TYPE.headers,
          FLAG.endHeaders,
          stream,
          block([...requestFields('POST', '/attack'), ['content-length', '9']]),
        ),
        frame(TYPE.data, 0, stream, Buffer.from('x')),
      ]),
      frame(TYPE.data, FLAG.endStream, stream, Buffer.from('x')),
    ],
    'trailers with a pseudo-header field': stream => [
      Buffer.concat([open(stream), frame(TYPE.data, 0, stream, Buffer.from('x'))]),
      frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, stream, block([[':path', '/x']])),
    ],
    'a window that grows by nothing': stream => [
      open(stream, FLAG.endStream),
      frame(TYPE.windowUpdate, 0, stream, number32(0)),
    ],
    'a window above the maximum': stream => [
      open(stream, FLAG.endStream),
      frame(TYPE.windowUpdate, 0, stream, number32(WINDOW_MAX)),
    ],
    'DATA behind the end': stream => [
      open(stream, FLAG.endStream),
      frame(TYPE.data, 0, stream, Buffer.from('x')),
    ],
    'HEADERS behind the end': stream => [open(stream, FLAG.endStream), open(stream)],
    'a PRIORITY of four bytes': stream => [
      open(stream, FLAG.endStream),
      frame(TYPE.priority, 0, stream, Buffer.alloc(4)),
    ],
  };

test('a client that has us reset its streams loses its connection as one that resets them itself (CVE-2025-8671)', async t => {
  await using backend = await startBackend(staySilent());
  await using proxy = await startProxy(forwardTo([backend.address], { listener: H2C }));
  for (const [name, framesOf] of Object.entries(MADE_US_RESET)) {
    await t.test(name, { timeout: ATTACK_MS_MAX }, async () => {
      using client = connectWire(proxy.target());
      const before = backend.requests.length;
      for (let stream = 1; !client.socket.destroyed; stream += 2) {
        const [begin, breach] = framesOf(stream);
        const seen = backend.requests.length;
        client.send(begin);
        while (!client.socket.destroyed && backend.requests.length === seen) await turn();
        client.send(breach);
        await client.answer(stream);
      }
      assert.ok(await client.closed, 'GOAWAY says that it was an error');
      const begun = backend.requests.length - before;
      assert(begun <= 2 * STREAMS_MAX + 1, `${begun} requests have reached the backend`);
      await backend.noConnections();
    });
  }
  const { text } = await proxy.report.metrics('');
  const counts = text.matchAll(/^fairlead_connections_cut_total\{.*cause="(?:flood|protocol)"\} (\d+)$/gm);
  const cut = [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  assert.equal(cut, Object.keys(MADE_US_RESET).length, 'each connection counts once');
  await assertNothingLeft(proxy);
});

test('a client that lets no byte of its responses come loses them after bodyIdle, and nobody waits for it', async () => {
  await using backend = await startBackend(answer({ body: 'x'.repeat(100) }));
  await using proxy = await startProxy(
    forwardTo([backend.address], { listener: { ...H2C, timeouts: { bodyIdle: '200ms' } } }),
  );
  using client = connectWire(proxy.target(), { settings: [setting(4, 0)] });
  client.send(...[1, 3, 5].map(stream => getRequest(stream, '/stalled')));
  const answers = await Promise.all([1, 3, 5].map(stream => client.answer(stream)));
  assert.deepEqual(
    answers.map(({ status, body, resetCode }) => [status, body, resetCode]),
    Array(3).fill([200, '', internalError]),
  );
  assert.deepEqual((await proxy.lines.next({ path: '/stalled' }, 3)).reason, 'client_timeout');
  client.send(frame(TYPE.settings, 0, 0, setting(4, 65_535)), getRequest(7, '/again'));
  assert.equal((await client.answer(7)).body.length, 100, 'the connection is as good as before');
});

/** Of the attacks; connections end some turns after their clients have gone. */
async function assertNothingLeft(proxy: ProxyInProcess): Promise<void> {
  const left = () => {
    const { requests, connections } = proxy.report.status();
    return [requests.active, connections.open];
  };
  for (let turns = 0; turns < 10_000 && left().some(count => count > 0); turns++) await turn();
  assert.deepEqual(left(), [0, 0], 'requests and connections');
}
