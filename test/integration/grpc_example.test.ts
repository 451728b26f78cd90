// examples/grpc.yaml with calls as gRPC makes them; only the ports are others.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { value } from '../support/http1_message.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { ROOT, startProxy } from '../support/proxy_under_test.ts';

checkLeaks();

const CALL = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
const HEALTH_CHECK = '/grpc.health.v1.Health/Check';
/** `HealthCheckResponse { status: SERVING }`. */
const SERVING = message(Buffer.from([0x08, 0x01]));
const NOT_FOUND = '5';

test('examples/grpc.yaml carries calls, their failures and their streams, and tells how each ended', async () => {
  await using one = await startServer();
  await using two = await startServer();
  const text = readFileSync(join(ROOT, 'examples/grpc.yaml'), 'utf8')
    .replace('127.0.0.1:9901', '127.0.0.1:0')
    .replace('127.0.0.1:8080', '127.0.0.1:0')
    .replace('127.0.0.1:50051', `127.0.0.1:${one.port}`)
    .replace('127.0.0.1:50052', `127.0.0.1:${two.port}`);
  await using proxy = await startProxy(text);
  await Promise.all([one.checked, two.checked]);
  const client = await connectHttp2(proxy.target('grpc'));

  const hello = await client.request('/helloworld.Greeter/SayHello', CALL, message(Buffer.from('you')))
    .answer;
  assert.deepEqual([hello.status, hello.body], [200, message(Buffer.from('you'))]);
  assert.deepEqual(hello.trailers, ['grpc-status', '0']);
  assert.equal((await proxy.lines.next({ path: '/helloworld.Greeter/SayHello' })).grpcStatus, 0);

  const missing = await client.request('/helloworld.Greeter/NotFound', CALL, '').answer;
  assert.deepEqual([missing.status, value(missing.headers, 'grpc-status')], [200, NOT_FOUND]);
  assert.equal((await proxy.lines.next({ path: '/helloworld.Greeter/NotFound' })).grpcStatus, 5);

  const unknown = await client.request('/other.Service/Method', CALL, '').answer;
  assert.deepEqual([unknown.status, value(unknown.headers, 'grpc-status')], [200, '12'], 'UNIMPLEMENTED');
  const line = await proxy.lines.next({ path: '/other.Service/Method' });
  assert.deepEqual([line.reason, line.grpcStatus], ['no_route', 12]);
  await client.close();
});

/** A message of gRPC: not compressed, its length, its bytes. */
function message(bytes: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

interface GrpcServer extends AsyncDisposable {
  readonly port: number;
  /** Resolves when it has said that it is well. */
  readonly checked: Promise<void>;
}

async function startServer(): Promise<GrpcServer> {
  const server = http2.createServer();
  const sessions = new Set<ServerHttp2Session>();
  const { promise: checked, resolve } = Promise.withResolvers<void>();
  server.on('session', session => sessions.add(session));
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    const head = { ':status': 200, 'content-type': 'application/grpc' };
    if (headers[':path'] === '/helloworld.Greeter/NotFound') {
      stream.respond({ ...head, 'grpc-status': NOT_FOUND }, { endStream: true });
      return;
    }
    stream.respond(head, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    if (headers[':path'] !== HEALTH_CHECK) stream.pipe(stream);
    else stream.end(SERVING, resolve);
  });
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    checked,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise(closed => server.close(closed));
    },
  };
}
