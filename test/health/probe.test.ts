import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import http2, { type ServerHttp2Stream } from 'node:http2';
import net, { type AddressInfo, type Server } from 'node:net';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { type OpenSocket, type ProbeSettings, type ProbeTarget, probe } from '../../src/health/probe.ts';
import { connect } from '../../src/net/connect.ts';
import { systemClock } from '../../src/resilience/clock.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { checkLeaks } from '../support/leak_check.ts';

checkLeaks();

const HTTP: ProbeSettings = {
  kind: 'http',
  method: 'GET',
  path: '/healthz',
  host: null,
  headers: [],
  statusMin: 200,
  statusMax: 399,
  body: null,
};
const TCP: ProbeSettings = { kind: 'tcp' };

function opener(port: number): OpenSocket {
  const address = { kind: 'tcp', host: '127.0.0.1', port } as const;
  return callback =>
    connect({ address, tls: null, protocols: [], connectTimeoutMs: 2_000 }, systemClock, callback);
}

/** Asks a server that is closed afterwards; fails if there is not exactly one result. */
async function ask(
  server: Server,
  settings: ProbeSettings,
  parts: Partial<ProbeTarget> = {},
): Promise<[ok: boolean, cause: string]> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const target = { open: opener(port), authority: 'app.test', ...parts };
  const results: [boolean, string][] = [];
  await new Promise<void>(resolve => {
    probe(
      settings,
      target,
      5_000,
      systemClock,
      (ok, cause) => {
        results.push([ok, cause]);
        resolve();
      },
      assert.fail,
    );
  });
  server.close();
  await once(server, 'close'); // all connections are closed: the probe leaves none
  assert.equal(results.length, 1);
  return results[0] as [boolean, string];
}

function answering(listener: RequestListener): Server {
  return http.createServer(listener);
}

/** Sends these bytes to whoever connects, and closes. */
function saying(bytes: string): Server {
  return net.createServer(socket => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(bytes));
  });
}

test('an HTTP probe asks for its path and host, and believes the statuses of its range', async () => {
  let seen = '';
  const server = answering((request, response) => {
    seen = `${request.method} ${request.url} ${request.headers.host} ${request.headers['user-agent']}`;
    response.end('ok');
  });
  assert.deepEqual(await ask(server, HTTP), [true, 'status 200']);
  assert.equal(seen, 'GET /healthz app.test fairlead-health');
  for (const [status, ok] of [
    [204, true],
    [399, true],
    [400, false],
    [503, false],
  ] as const) {
    const got = await ask(
      answering((_, response) => response.writeHead(status).end()),
      HTTP,
    );
    assert.deepEqual(got, [ok, `status ${status}${ok ? '' : ', expected 200 to 399'}`]);
  }
});

test('an endless body does not hold up a probe, and one that breaks off does not fail it', async () => {
  const endless = answering((_, response) => {
    response.write('x');
    const push = () => {
      while (!response.destroyed && response.write('x'.repeat(10_000)));
    };
    response.on('drain', push);
    push();
  });
  assert.deepEqual(await ask(endless, HTTP), [true, 'status 200']);
  assert.deepEqual(await ask(saying('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'), HTTP), [
    true,
    'status 200',
  ]);
});

test('a probe can ask by another method, under another host, with fields of its own', async () => {
  let seen = '';
  const server = answering((request, response) => {
    seen = `${request.method} ${request.headers.host} ${request.headers['x-probe']}`;
    response.end();
  });
  const settings = { ...HTTP, method: 'HEAD', host: 'other.test', headers: [['X-Probe', 'yes']] } as const;
  assert.deepEqual(await ask(server, settings), [true, 'status 200']);
  assert.equal(seen, 'HEAD other.test yes');
});

test('a text is looked for in the first 4 KiB of the body, however it is cut', async () => {
  const withText = { ...HTTP, body: 'all is well' };
  const body = (before: number, cut = 0) =>
    answering((_, response) => {
      const text = `${' '.repeat(before)}all is well${' '.repeat(9_000)}`;
      response.write(text.slice(0, cut));
      setImmediate(() => response.end(text.slice(cut)));
    });
  assert.deepEqual(await ask(body(0), withText), [true, 'the body contains the expected text']);
  assert.deepEqual(await ask(body(100, 105), withText), [true, 'the body contains the expected text']);
  assert.deepEqual(
    await ask(body(4_096 - 11), withText),
    [true, 'the body contains the expected text'],
    'the last place',
  );
  assert.deepEqual(await ask(body(4_096 - 10), withText), [
    false,
    'the body does not contain the expected text',
  ]);
  const short = answering((_, response) => response.end('not so well'));
  assert.deepEqual(await ask(short, withText), [false, 'the body does not contain the expected text']);
  const failing = answering((_, response) => response.writeHead(500).end('all is well'));
  assert.deepEqual(await ask(failing, withText), [false, 'status 500, expected 200 to 399']);
});

test('a WebSocket probe wants a handshake with the right key, and closes politely', async () => {
  const settings = { kind: 'webSocket', path: '/chat', host: null, headers: [] } as const;
  const server = http.createServer((_, response) => response.end());
  const sockets = new WebSocketServer({ server, path: '/chat' });
  const closed = new Promise<number>(resolve =>
    sockets.on('connection', socket => socket.on('close', resolve)),
  );
  assert.deepEqual(await ask(server, settings), [true, 'handshake accepted']);
  assert.equal(await closed, 1_000);
  const refusing = answering((_, response) => response.writeHead(401).end());
  assert.deepEqual(await ask(refusing, settings), [false, 'status 401']);
  const lying = saying(
    'HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\n\r\n',
  );
  assert.deepEqual(await ask(lying, settings), [false, 'wrong Sec-WebSocket-Accept']);
});

test('a gRPC probe asks for the service and believes SERVING only', async () => {
  const asked: Buffer[] = [];
  const grpc = (
    answerBytes: readonly number[],
    trailers: Record<string, string> = { 'grpc-status': '0' },
  ) => {
    const server = http2.createServer();
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      assert.equal(headers[':path'], '/grpc.health.v1.Health/Check');
      stream.on('error', () => {});
      stream.on('data', (chunk: Buffer) => asked.push(chunk));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      stream.end(Buffer.from(answerBytes));
    });
    return server;
  };
  const whole = { kind: 'grpc', service: '' } as const;
  assert.deepEqual(await ask(grpc([0, 0, 0, 0, 2, 8, 1]), whole), [true, 'SERVING']);
  assert.deepEqual(await ask(grpc([0, 0, 0, 0, 2, 8, 2]), whole), [false, 'NOT_SERVING']);
  assert.deepEqual(await ask(grpc([0, 0, 0, 0, 0]), whole), [false, 'UNKNOWN']);
  assert.deepEqual(await ask(grpc([], { 'grpc-status': '12' }), whole), [false, 'grpc-status 12']);
  assert.deepEqual(await ask(grpc([1, 2, 3]), whole), [false, 'the response is not a HealthCheckResponse']);
  asked.length = 0;
  await ask(grpc([0, 0, 0, 0, 2, 8, 1]), { kind: 'grpc', service: 'a.B' });
  assert.deepEqual([...Buffer.concat(asked)], [0, 0, 0, 0, 5, 10, 3, 97, 46, 66]);
});

test('a probe fails for a response that is not HTTP, and for a connection that closes without one', async () => {
  assert.deepEqual(await ask(saying('220 mail.test ESMTP\r\n'), HTTP), [false, 'HPE_INVALID_CONSTANT']);
  assert.deepEqual(await ask(saying(''), HTTP), [false, 'ECONNRESET']);
  const upgraded = await ask(saying('HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'), HTTP);
  assert.deepEqual(upgraded, [false, 'status 101']);
});

test('a TCP probe only connects', async () => {
  assert.deepEqual(
    await ask(
      net.createServer(socket => socket.resume()),
      TCP,
    ),
    [true, 'connected'],
  );
});

test('a failed TLS handshake is told with its code: no request goes there whose log line would have it', async () => {
  const failure = { kind: 'tls_failed', part: 'protocol', code: 'ERR_SSL_WRONG_VERSION_NUMBER' } as const;
  const open: OpenSocket = callback => {
    queueMicrotask(() => callback(failure, null));
    return () => {};
  };
  const cause = await new Promise(resolve =>
    probe(TCP, { open, authority: 'a' }, 5_000, systemClock, (_, why) => resolve(why), assert.fail),
  );
  assert.equal(cause, 'tls_failed (protocol ERR_SSL_WRONG_VERSION_NUMBER)');
});

test('an endpoint that refuses has failed', async () => {
  const gone = net.createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, 'close');
  for (const settings of [TCP, HTTP]) {
    const result = await new Promise(resolve => {
      const target = { open: opener(port), authority: 'a' };
      probe(settings, target, 5_000, systemClock, (ok, cause) => resolve([ok, cause]), assert.fail);
    });
    assert.deepEqual(result, [false, 'connect_refused']);
  }
});

test('an endpoint that speaks only HTTP/2 is asked in HTTP/2', async () => {
  let seen = '';
  const server = http2.createServer();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    seen = `${headers[':method']} ${headers[':path']} ${headers[':authority']} ${headers[':scheme']}`;
    stream.on('error', () => {});
    stream.respond({ ':status': 200 });
    stream.end('ok');
  });
  assert.deepEqual(await ask(server, HTTP, { http2: true }), [true, 'status 200']);
  assert.equal(seen, 'GET /healthz app.test http');
  const [ok] = await ask(saying('HTTP/1.1 400 Bad Request\r\n\r\n'), HTTP, { http2: true });
  assert.equal(ok, false);
  const silent = http2.createServer();
  silent.on('stream', (stream: ServerHttp2Stream) => stream.close(http2.constants.NGHTTP2_NO_ERROR));
  assert.deepEqual(await ask(silent, HTTP, { http2: true }), [false, 'closed']);
  const [closed] = await ask(
    net.createServer(socket => socket.destroy()),
    HTTP,
    { http2: true },
  );
  assert.equal(closed, false);
});

test('a silent endpoint has failed after its time, exactly once, and its connection is closed', async () => {
  const clock = new FakeClock();
  const silent = net.createServer(socket => socket.on('error', () => {}).resume());
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const results: string[] = [];
  probe(
    HTTP,
    { open: opener(port), authority: 'a' },
    500,
    clock,
    (ok, cause) => results.push(`${ok} ${cause}`),
    assert.fail,
  );
  await once(silent, 'connection');
  clock.advance(499);
  assert.deepEqual(results, []);
  clock.advance(1);
  assert.deepEqual([results, clock.pendingTimers], [['false no response within 500 ms'], 0]);
  silent.close();
  await once(silent, 'close');
});

test('a cancelled probe reports nothing, before and after it has connected', async () => {
  const clock = new FakeClock();
  const server = net.createServer(socket => socket.on('error', () => {}).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const fail = () => assert.fail('it was given up');
  probe(HTTP, { open: opener(port), authority: 'a' }, 500, clock, fail, fail)();
  const stop = probe(HTTP, { open: opener(port), authority: 'a' }, 500, clock, fail, fail);
  await once(server, 'connection');
  stop();
  clock.advance(1_000);
  assert.equal(clock.pendingTimers, 0);
  server.close();
  await once(server, 'close');
});
