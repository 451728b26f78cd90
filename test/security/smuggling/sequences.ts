/** Several requests in one packet, and fields that speak of the connection (RFC 9112 section 9.3.2, RFC 9110 sections 7.6.1, 7.8, 10.1.1). */
import { get, HELLO_CHUNKED, passed, post, type Row, refused, request, SMUGGLED } from './row.ts';

const numbered = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `/n${at}`);
const requests = (targets: readonly string[]): string =>
  targets.map(target => request(`GET ${target} HTTP/1.1`)).join('');
const WEBSOCKET = [
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
/** An upgrade that is ignored ends the connection, because Node's parser drops what came in its packet. */
const ignored = (name: string, ...fields: readonly string[]): Row =>
  passed(name, get(...fields) + SMUGGLED, ['/attack'], { after: 'closed' });

export const SEQUENCES: readonly Row[] = [
  passed('two requests', requests(numbered(2)), numbered(2)),
  passed('ten requests', requests(numbered(10)), numbered(10)),
  passed('empty lines between requests', `${get()}\r\n\r\n${SMUGGLED}`, ['/attack', '/smuggled']),
  passed(
    'a request behind a body',
    post(['Content-Length: 5'], `hello${SMUGGLED}`),
    ['/attack', '/smuggled'],
    {
      bodies: ['hello', ''],
    },
  ),
  passed(
    'chunks behind a body behind chunks',
    post(['Transfer-Encoding: chunked'], HELLO_CHUNKED) +
      post(['Content-Length: 3'], 'abc') +
      post(['Transfer-Encoding: chunked'], HELLO_CHUNKED),
    ['/attack', '/attack', '/attack'],
    { bodies: ['hello', 'abc', 'hello'] },
  ),
  {
    ...refused(
      'nothing behind a malformed head is read',
      `GET /attack HTTP/1.1\r\nX\r\n\r\n${SMUGGLED}${SMUGGLED}`,
    ),
  },
  {
    ...refused(
      'nothing behind a request without Host is read',
      `GET /attack HTTP/1.1\r\n\r\n${SMUGGLED}${SMUGGLED}`,
    ),
  },
  refused(
    'nothing behind another version is read',
    `GET / HTTP/2.0\r\nHost: app.test\r\n\r\n${get()}${SMUGGLED}${SMUGGLED}`,
  ),
  refused(
    'a WebSocket handshake behind a refused request opens no tunnel',
    `GET / HTTP/1.1\r\n\r\n${get('Connection: Upgrade', ...WEBSOCKET)}${SMUGGLED}`,
  ),
  refused(
    'CONNECT behind a refused request is not read',
    `GET / HTTP/1.1\r\n\r\nCONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n${SMUGGLED}`,
  ),
  {
    name: 'a good request is answered, the bad one behind it ends the connection',
    bytes: `${get()}GET / HTTP/1.1\r\nX : y\r\n\r\n${SMUGGLED}`,
    answers: [200],
    backend: ['/attack'],
    after: 'closed',
  },
  {
    name: 'a good request is answered, the ambiguous one behind it is refused, and nothing more is read',
    bytes: get() + post(['Content-Length: 5', 'Transfer-Encoding: chunked'], HELLO_CHUNKED) + SMUGGLED,
    answers: [200],
    backend: ['/attack'],
    after: 'closed',
  },
  {
    name: 'a good request is answered, the one without Host behind it is refused, and nothing more is read',
    bytes: `${get()}GET / HTTP/1.1\r\n\r\n${SMUGGLED}`,
    answers: [200, 400],
    backend: ['/attack'],
    after: 'closed',
  },
  passed('Connection: close, and a request behind it', get('Connection: close') + SMUGGLED, ['/attack'], {
    after: 'closed',
  }),
  passed('HTTP/1.0, and a request behind it', request('GET /attack HTTP/1.0') + SMUGGLED, ['/attack'], {
    after: 'closed',
  }),
  passed(
    'Expect: 100-continue with a body that comes at once',
    post(['Expect: 100-continue', 'Content-Length: 5'], 'hello'),
    ['/attack'],
    { bodies: ['hello'] },
  ),
  passed(
    'Expect: 100-continue with chunks',
    post(['Expect: 100-continue', 'Transfer-Encoding: chunked'], HELLO_CHUNKED),
    ['/attack'],
    { bodies: ['hello'] },
  ),
  // Node ends a connection on which it was asked for a 100 that was not sent.
  passed('Expect: 100-continue without a body', get('Expect: 100-continue'), ['/attack'], {
    after: 'closed',
  }),
  {
    ...passed(
      'Expect: 100-continue on a body of 0 bytes, and a request behind',
      post(['Expect: 100-continue', 'Content-Length: 0'], SMUGGLED),
      ['/attack', '/smuggled'],
      { after: 'closed' },
    ),
    answers: [200],
  },
  passed(
    'an obfuscated Expect',
    post(['Expect: y 100-continue', 'Content-Length: 5'], 'hello'),
    ['/attack'],
    {
      bodies: ['hello'],
      after: 'closed',
    },
  ),
  passed('an unknown expectation', get('Expect: something')),
  ignored(
    'Upgrade: h2c',
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
  ),
  ignored('Upgrade: h2c without HTTP2-Settings', 'Connection: Upgrade', 'Upgrade: h2c'),
  ignored('Upgrade: h2c, websocket', 'Connection: Upgrade', 'Upgrade: h2c, websocket'),
  ignored('Upgrade: TLS/1.0', 'Connection: Upgrade', 'Upgrade: TLS/1.0'),
  ignored('Upgrade: websocket without Connection', ...WEBSOCKET),
  refused(
    'a WebSocket handshake with a body',
    `${get('Connection: Upgrade', ...WEBSOCKET, 'Content-Length: 5')}hello${SMUGGLED}`,
  ),
  refused(
    'a WebSocket handshake with chunks',
    get('Connection: Upgrade', ...WEBSOCKET, 'Transfer-Encoding: chunked') + HELLO_CHUNKED + SMUGGLED,
  ),
  passed(
    'a WebSocket handshake that the backend does not take, and a request behind',
    get('Connection: Upgrade', ...WEBSOCKET) + SMUGGLED,
    ['/attack'],
    { after: 'closed' },
  ),
  passed('the preface of HTTP/2 behind a request', `${get()}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`, ['/attack'], {
    after: 'closed',
  }),
  passed('Connection: host', get('Connection: host')),
  passed(
    'Connection: content-length on a body',
    post(['Connection: content-length', 'Content-Length: 5'], 'hello'),
    ['/attack'],
    { bodies: ['hello'] },
  ),
  passed(
    'Connection: keep-alive, transfer-encoding',
    post(['Connection: keep-alive, transfer-encoding', 'Transfer-Encoding: chunked'], HELLO_CHUNKED),
    ['/attack'],
    { bodies: ['hello'] },
  ),
  passed('Connection: close that is spelt otherwise', get('Connection: cLoSe') + SMUGGLED, ['/attack'], {
    after: 'closed',
  }),
  // Node's parser takes it for Connection.
  passed(
    'Proxy-Connection: close, and a request behind',
    get('Proxy-Connection: close') + SMUGGLED,
    ['/attack'],
    {
      after: 'closed',
    },
  ),
  passed(
    'X-HTTP-Method-Override and fields of routing change nothing',
    get('X-HTTP-Method-Override: DELETE', 'X-Original-URL: /smuggled', 'X-Rewrite-URL: /smuggled'),
  ),
];
