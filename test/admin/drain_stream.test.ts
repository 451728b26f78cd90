import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { DrainStream } from '../../src/admin/drain_stream.ts';
import { FakeClock } from '../support/fake_clock.ts';

const VIEW = {
  phase: 'draining',
  cause: 'SIGTERM',
  remainingMs: 5_000,
  requests: 1,
  tunnels: 0,
  connections: 1,
  routes: { all: 1 },
} as const;

async function serve(context: TestContext) {
  const clock = new FakeClock();
  const stream = new DrainStream(() => VIEW, clock);
  const added: boolean[] = [];
  const server = http.createServer((_request, response) => {
    const isIn = stream.add(response);
    added.push(isIn);
    if (!isIn) response.writeHead(503).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const view = () =>
    new Promise<IncomingMessage>(resolve => http.get({ port, host: '127.0.0.1', agent: false }, resolve));
  return { clock, stream, view };
}

test('a viewer gets a line at once, one every second, and a last one that says how it ended', async context => {
  const { clock, stream, view } = await serve(context);
  const response = await view();
  assert.equal(response.headers['content-type'], 'application/x-ndjson');
  const ended = once(response, 'end');
  let text = '';
  const { promise: first, resolve } = Promise.withResolvers<void>();
  response.on('data', chunk => {
    text += chunk;
    resolve();
  });
  await first;
  clock.advance(1_000);
  stream.close('forced');
  await ended;
  assert.deepEqual(
    text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
    [VIEW, VIEW, { phase: 'stopped', result: 'forced' }],
  );
  assert.equal(clock.pendingTimers, 0);
});

test('a seventeenth viewer is refused, and without viewers there is no timer', async context => {
  const { clock, view } = await serve(context);
  const viewers = await Promise.all(Array.from({ length: 16 }, view));
  const refused = await view();
  assert.equal(refused.statusCode, 503);
  for (const viewer of [...viewers, refused]) viewer.destroy();
  while (clock.pendingTimers > 0) {
    clock.advance(1_000);
    await new Promise<void>(resolve => void setImmediate(resolve));
  }
});
