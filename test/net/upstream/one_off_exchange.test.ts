// One request on a connection of its own: what its handler hears, and when it hears nothing more.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { sendOnSocket } from '../../../src/net/upstream/one_off_exchange.ts';
import type { UpstreamRequest } from '../../../src/net/upstream.ts';
import { answer, cutInBody, raw, resetBeforeHead } from '../../support/backend_behaviours.ts';
import { formatChunk, formatHead, formatLastChunk } from '../../support/http1_message.ts';
import { checkLeaks } from '../../support/leak_check.ts';
import { type Behaviour, startBackend } from '../../support/scripted_backend.ts';

checkLeaks();

const OPTIONS: UpstreamRequest = {
  method: 'OPTIONS',
  target: '*',
  authority: 'app.test',
  headers: [],
  body: null,
};

/** What is heard, in order; `takes` says what `onData` returns. */
async function exchanged(
  behaviour: Behaviour,
  request: Partial<UpstreamRequest> = {},
  takes: () => boolean = () => true,
) {
  const backend = await startBackend(behaviour);
  const socket = net.connect(backend.port, '127.0.0.1');
  await once(socket, 'connect');
  const heard: string[] = [];
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const { promise: paused, resolve: pause } = Promise.withResolvers<void>();
  const exchange = sendOnSocket(
    socket,
    { ...OPTIONS, ...request },
    {
      onConnected: () => heard.push('connected'),
      onInformation: status => heard.push(`interim ${status}`),
      onHead: (status, text) => heard.push(`head ${status} ${text}`),
      onData(chunk) {
        heard.push(`data ${chunk}`);
        const flows = takes();
        if (!flows) pause();
        return flows;
      },
      onEnd(trailers) {
        heard.push(`end ${trailers?.join(' ') ?? ''}`.trim());
        resolve();
      },
      onError({ kind, ...facts }) {
        heard.push(`${kind} ${Object.values(facts).join(' ')}`.trim());
        resolve();
      },
    },
  );
  return {
    backend,
    exchange,
    heard,
    over,
    paused,
    async end() {
      socket.destroy();
      await backend.close();
      return heard;
    },
  };
}

async function heardOf(behaviour: Behaviour, request: Partial<UpstreamRequest> = {}): Promise<string[]> {
  const { over, end } = await exchanged(behaviour, request);
  await over;
  return end();
}

test('interim responses, head, body and trailers are heard in their order', async () => {
  const whole = raw(
    Buffer.concat([
      formatHead('HTTP/1.1 103 Early Hints', ['Link', '</a>']),
      formatHead('HTTP/1.1 200 Fine', ['Transfer-Encoding', 'chunked']),
      formatChunk('body'),
      formatLastChunk(['X-Sum', '1']),
    ]),
  );
  assert.deepEqual(await heardOf(whole), ['interim 103', 'head 200 Fine', 'data body', 'end X-Sum 1']);
});

test('the backend is told that the connection serves no second request', async () => {
  const { backend, over, end } = await exchanged(answer());
  await over;
  const [request] = backend.requests;
  assert.deepEqual([request?.method, request?.target], ['OPTIONS', '*']);
  assert.deepEqual(request?.headers.slice(-2), ['Connection', 'close']);
  await end();
});

test('a body that streams is sent to its end', async () => {
  const bodies: string[] = [];
  const behaviour: Behaviour = async request => {
    bodies.push(String((await request.body()).content));
    return answer()(request);
  };
  await heardOf(behaviour, { headers: ['Content-Length', '6'], body: Readable.from(['abc', 'def']) });
  await heardOf(behaviour, { headers: ['Content-Length', '3'], body: Buffer.from('xyz') });
  assert.deepEqual(bodies, ['abcdef', 'xyz']);
});

test('a switch that nobody asked for is a bad response, whether it names a protocol or not', async () => {
  const bad = ['bad_response Not a valid HTTP/1.1 response.'];
  const upgrade = formatHead('HTTP/1.1 101 X', ['Connection', 'Upgrade', 'Upgrade', 'x']);
  assert.deepEqual(await heardOf(raw(upgrade)), bad);
  assert.deepEqual(await heardOf(raw(formatHead('HTTP/1.1 101 X', []))), bad);
});

test('a reset before the head and one in the body are two failures, and half a body has no end', async () => {
  const [before] = await heardOf(resetBeforeHead());
  assert.equal(before, 'reset_before_head ECONNRESET');
  const cut = await heardOf(cutInBody('half'));
  assert.match(cut.at(-1) ?? '', /^reset_in_body ECONNRESET/);
  assert.equal(cut[0], 'head 200 OK');
});

test('a handler that takes no more is left alone until it asks again', async () => {
  let asked = 0;
  const chunks = raw(formatHead('HTTP/1.1 200 OK', ['Content-Length', '200000']));
  const behaviour: Behaviour = async (request): Promise<'over'> => {
    await chunks(request);
    request.socket.write(Buffer.alloc(200_000, 'x'));
    return 'over';
  };
  const { exchange, heard, paused, over, end } = await exchanged(behaviour, {}, () => asked++ > 0);
  await paused;
  for (let turns = 0; turns < 20; turns++) await turn();
  assert.equal(heard.length, 2, 'the head and one piece');
  exchange.resume();
  await over;
  assert.equal(heard.at(-1), 'end');
  await end();
});

test('after it was cancelled nothing is heard, and the backend sees the connection end', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const late: Behaviour = async request => {
    await released;
    return answer({ body: 'late' })(request);
  };
  const { backend, exchange, heard, end } = await exchanged(late);
  await backend.requestCount(1);
  exchange.cancel();
  release();
  await backend.noConnections();
  assert.deepEqual(heard, []);
  await end();
});

test('a request that cannot be written is a defect of ours, not of the backend', async () => {
  const { exchange, heard, end } = await exchanged(answer(), { headers: ['X-Bad', 'a\nb'] });
  exchange.resume();
  exchange.cancel();
  assert.deepEqual(heard, ['internal the request cannot be sent']);
  await end();
});
