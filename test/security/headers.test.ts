import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_CLAIM } from '../../src/security/client_address.ts';
import {
  acceptRequestId,
  buildHeaderEdits,
  buildUpstreamHeaders,
  connectionOptions,
  filterInformation,
  filterResponseHeaders,
  filterTrailers,
  filterTunnelHeaders,
  type HeaderEdits,
} from '../../src/security/headers.ts';
import {
  acceptedHead,
  fields,
  forwardingFacts,
  rawHttp2Request,
  rawRequest,
} from '../support/request_heads.ts';

const edits = (parts: Partial<HeaderEdits>) => buildHeaderEdits({ remove: [], set: [], add: [], ...parts });
const NO_EDITS = edits({});
/** What the proxy adds for `forwardingFacts()`. */
const ADDED = fields(
  'X-Forwarded-For: 203.0.113.7',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: a.example',
  'X-Forwarded-Port: 8443',
  'Forwarded: for=203.0.113.7;host=a.example;proto=https',
  'Via: 1.1 fairlead (c0ffee)',
  'X-Request-Id: request-1',
);

function upstream(sent: string[], compiled = NO_EDITS, facts = forwardingFacts()): string[] {
  const head = acceptedHead(rawRequest({ headers: ['Host', 'a', ...sent] }));
  return buildUpstreamHeaders(head, facts, compiled);
}

test('order, case and duplicates of a request arrive at the backend', () => {
  const sent = fields(
    'x-b: 1',
    'X-A: 2',
    'X-B: 3',
    'Content-Length: 4',
    'Cookie: a=1',
    'Cookie: b=2',
    'Trailer: X',
  );
  assert.deepEqual(upstream(sent), [...sent, ...ADDED]);
});

test('fields of the connection, and those that are set anew, do not reach the backend', () => {
  const removed = fields(
    'Connection: close',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'TE: trailers',
    'Upgrade: h2c',
    'HTTP2-Settings: x',
    'Expect: 100-continue',
    'Proxy-Authorization: Basic x',
    'X-Request-Id: from-the-client',
    'x-forwarded-for: 1.2.3.4',
    'FORWARDED: for=1.2.3.4',
    'X-Forwarded-Prefix: /admin',
  );
  assert.deepEqual(upstream([...removed, 'X', 'y']), ['X', 'y', ...ADDED]);
  assert.deepEqual(upstream(['Transfer-Encoding', 'chunked']), ADDED);
});

test('names that CGI takes for a framing field do not reach the backend', () => {
  const head = acceptedHead(
    rawRequest({ headers: fields('Host: a', 'Transfer_Encoding: chunked', 'content_length: 5', 'X_Y: z') }),
  );
  const list = buildUpstreamHeaders(head, forwardingFacts(), NO_EDITS);
  assert.deepEqual(list.slice(0, 2), ['X_Y', 'z']);
});

test('Connection cannot take from a message what the proxy or the framing needs', () => {
  const sent = fields(
    'Connection: X-Forwarded-For, X-Forwarded-Proto, Via, X-Request-Id, Forwarded, Host, Content-Length, X-Mine',
    'Content-Length: 4',
    'Via: 1.0 edge',
    'X-Mine: 1',
  );
  assert.deepEqual(upstream(sent), [...fields('Content-Length: 4', 'Via: 1.0 edge'), ...ADDED]);

  const facts = forwardingFacts({
    claim: { ...NO_CLAIM, fields: 'all', chain: '1.2.3.4' },
    peerIp: '10.0.0.1',
  });
  const behind = upstream(
    [...sent, ...fields('X-Forwarded-For: 1.2.3.4', 'X-Forwarded-Proto: http')],
    NO_EDITS,
    facts,
  );
  assert.deepEqual(
    behind.slice(4, 8),
    fields('X-Forwarded-Proto: http', 'X-Forwarded-For: 1.2.3.4, 10.0.0.1'),
  );
});

test('a cookie that HTTP/2 cut into crumbs is whole again, in its first place (RFC 9113 section 8.2.3)', () => {
  const headers = fields('cookie: a=1', 'x: y', 'cookie: b=2', 'cookie: c=3');
  const facts = forwardingFacts({ protocol: 'HTTP/2.0' });
  const list = buildUpstreamHeaders(acceptedHead(rawHttp2Request({ headers })), facts, NO_EDITS);
  assert.deepEqual(list.slice(0, 6), fields('cookie: a=1; b=2; c=3', 'x: y', 'X-Forwarded-For: 203.0.113.7'));
  assert.equal(list.at(-3), '2.0 fairlead (c0ffee)');
});

test('TE: trailers reaches the backend of an HTTP/2 client: gRPC asks for it', () => {
  const facts = forwardingFacts({ protocol: 'HTTP/2.0' });
  const head = acceptedHead(rawHttp2Request({ headers: ['te', 'trailers'] }));
  assert.deepEqual(buildUpstreamHeaders(head, facts, NO_EDITS).slice(0, 2), ['te', 'trailers']);
});

test('a route removes, then sets, then adds, also what the proxy would add', () => {
  const compiled = edits({
    remove: ['x-gone', 'via'],
    set: [
      ['X-Set', 'new'],
      ['X-Forwarded-Proto', 'ftp'],
    ],
    add: [
      ['X-Add', '2'],
      ['X-Gone', 'again'],
    ],
  });
  const list = upstream(fields('X-GONE: 1', 'x-set: old', 'X-Set: older', 'X-Add: 1'), compiled);
  assert.deepEqual(list.slice(0, 2), ['X-Add', '1']);
  assert.deepEqual(
    list.slice(-8),
    fields('X-Set: new', 'X-Forwarded-Proto: ftp', 'X-Add: 2', 'X-Gone: again'),
  );
  for (const name of ['Via', 'x-set', 'X-GONE']) assert(!list.includes(name), name);
  assert.equal(list.filter(text => text === 'X-Forwarded-Proto').length, 1, 'ours gives way to the set one');
});

test('an answer reaches the client as the backend wrote it, but for fields of the connection', () => {
  const removed = fields(
    'Connection: keep-alive, X-Hop, Content-Length',
    'Keep-Alive: timeout=5',
    'X-Hop: 1',
    'Transfer-Encoding: chunked',
    'Upgrade: h2c',
    'Proxy-Authenticate: Basic',
    'X-Request-Id: of-the-backend',
  );
  const kept = fields(
    'Set-Cookie: a=1',
    'X-b: 1',
    'set-cookie: b=2',
    'Content-Length: 3',
    'Trailer: X',
    'Via: 1.1 x',
  );
  const added = fields('Via: 1.1 fairlead', 'X-Request-Id: request-1');
  const list = filterResponseHeaders(200, [...removed, ...kept], forwardingFacts(), NO_EDITS);
  assert.deepEqual(list, [...kept, ...added]);
});

test('a route edits answers too, also what the proxy would add', () => {
  const compiled = edits({
    remove: ['server', 'via'],
    set: [['X-Request-Id', 'hidden']],
    add: [['Vary', 'A']],
  });
  const list = filterResponseHeaders(200, fields('Server: x', 'Vary: B'), forwardingFacts(), compiled);
  assert.deepEqual(list, fields('Vary: B', 'X-Request-Id: hidden', 'Vary: A'));
});

test('an interim answer carries what the backend said, and no more', () => {
  const sent = fields('Link: </a.css>', 'Connection: X-Hop', 'X-Hop: 1', 'Keep-Alive: x');
  assert.deepEqual(filterInformation(sent), fields('Link: </a.css>'));
});

test('trailers cannot frame, route or authenticate', () => {
  const harmful = fields(
    'Content-Length: 1',
    'Transfer-Encoding: chunked',
    'Host: b',
    'Set-Cookie: a=1',
    'Trailer: x',
    'Authorization: x',
    'Content-Type: a/b',
    'X-Forwarded-For: 1.2.3.4',
    'Connection: X-Hop',
    'X-Hop: 1',
  );
  const harmless = fields('grpc-status: 0', 'X-Checksum: abc', 'x-checksum: def');
  assert.deepEqual(filterTrailers([...harmful, ...harmless]), harmless);
});

test('a 101 answer keeps the fields of the handshake', () => {
  const sent = fields(
    'Connection: upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Accept: abc',
    'Keep-Alive: x',
  );
  const expected = fields(
    'Sec-WebSocket-Accept: abc',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'X-Request-Id: request-1',
  );
  assert.deepEqual(filterTunnelHeaders(sent, forwardingFacts(), NO_EDITS), expected);
});

test('the options of Connection that name no field are no names', () => {
  for (const value of ['', ' , ', 'close', 'Keep-Alive', 'UPGRADE', 'close, upgrade']) {
    assert.deepEqual(connectionOptions(value), [], value);
  }
  assert.deepEqual(connectionOptions('X-A ,close,\tx-b'), ['x-a', 'x-b']);
});

test('a request id from outside is harmless and unique, or not taken', () => {
  for (const id of ['12345678', 'a.b_c-D9'.repeat(16)]) assert.equal(acceptRequestId(id), true, id);
  const refused = [
    '',
    '1234567',
    'a'.repeat(129),
    'with space',
    'new-line\n',
    'quote"1',
    'é1234567',
    'a, b-c-d',
  ];
  for (const id of refused) assert.equal(acceptRequestId(id), false, JSON.stringify(id));
});

test('nobody else says what certificate a client has: neither a stranger nor a trusted proxy, nor a trailer', () => {
  const sent = fields(
    'X-Client-Cert-Subject: CN=root',
    'x_client_cert_san: a',
    'Client-Cert: :AA==:',
    'x-a: 1',
  );
  for (const claim of [NO_CLAIM, { ...NO_CLAIM, fields: 'all' } as const])
    assert.deepEqual(upstream(sent, NO_EDITS, forwardingFacts({ claim })).slice(0, 2), ['x-a', '1']);
  assert.deepEqual(filterTrailers(sent), ['x-a', '1']);
});
