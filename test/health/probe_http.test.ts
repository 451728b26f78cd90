// What `probe.test.ts` does not ask: a verdict before the body ends, a body that breaks off, and the fields of HTTP/2.
import assert from 'node:assert/strict';
import http, { type RequestListener } from 'node:http';
import http2, { type ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import tls from 'node:tls';
import { askHttp1, askHttp2 } from '../../src/health/probe_http.ts';
import type { HttpProbe } from '../../src/health/probe_settings.ts';
import { ca, server } from '../support/certificates.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { firstWord } from './ask_server.ts';

checkLeaks();

const HTTP: HttpProbe = {
  kind: 'http',
  method: 'GET',
  path: '/healthz',
  host: null,
  headers: [],
  statusMin: 200,
  statusMax: 200,
  body: null,
};

const ask1 = (settings: HttpProbe, answer: RequestListener) =>
  firstWord(http.createServer(answer), (socket, tell) => askHttp1(settings, socket, 'app.test', tell));

const streamServer = (onStream: (stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void) => {
  const server = http2.createServer();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {}); // the probe leaves when it knows
    onStream(stream, headers);
  });
  return server;
};

test('an endpoint with the wrong status has failed at once, whatever its body still says', async () => {
  const word = await ask1({ ...HTTP, body: 'well' }, (_, response) => {
    response.writeHead(503).write('all is well'); // and it never ends
  });
  assert.deepEqual(word, [false, 'status 503, expected 200'], 'one status is no range');
});

test('a body that breaks off before the expected text is a failure with its cause', async () => {
  const word = await ask1({ ...HTTP, body: 'all is well' }, (_, response) => {
    response.write('all is', () => response.destroy());
  });
  assert.deepEqual(word, [false, 'ECONNRESET']);
});

test('an expected text is found where two packets cut it, over HTTP/2 too', async () => {
  const cut = streamServer(stream => {
    stream.respond({ ':status': 200 });
    stream.write('all is', () => stream.end(' well'));
  });
  const settings = { ...HTTP, body: 'all is well' };
  const word = await firstWord(cut, (socket, tell) => askHttp2(settings, socket, 'app.test', tell));
  assert.deepEqual(word, [true, 'the body contains the expected text']);
  const other = streamServer(stream => {
    stream.respond({ ':status': 200 });
    stream.end('all is');
  });
  assert.deepEqual(await firstWord(other, (socket, tell) => askHttp2(settings, socket, 'app.test', tell)), [
    false,
    'the body does not contain the expected text',
  ]);
});

test('over HTTP/2 a probe has the method, host and fields of the configuration, and the scheme of its connection', async () => {
  const settings = { ...HTTP, method: 'HEAD', host: 'other.test', headers: [['X-Probe', 'yes']] } as const;
  const seen: unknown[] = [];
  const onStream = (stream: ServerHttp2Stream, fields: http2.IncomingHttpHeaders) => {
    const asked = [':method', ':authority', ':scheme', 'x-probe', 'user-agent'];
    seen.push(asked.map(name => fields[name]));
    stream.respond({ ':status': 200 }, { endStream: true });
  };
  const ask = (socket: Parameters<typeof askHttp2>[1], tell: Parameters<typeof askHttp2>[3]) =>
    askHttp2(settings, socket, 'app.test', tell);
  await firstWord(streamServer(onStream), ask);
  const secure = http2.createSecureServer({ cert: server.cert, key: server.key });
  secure.on('stream', onStream);
  await firstWord(secure, ask, port =>
    tls.connect({ port, host: '127.0.0.1', ca, servername: 'app.test', ALPNProtocols: ['h2'] }),
  );
  assert.deepEqual(seen, [
    ['HEAD', 'other.test', 'http', 'yes', 'fairlead-health'],
    ['HEAD', 'other.test', 'https', 'yes', 'fairlead-health'],
  ]);
});
