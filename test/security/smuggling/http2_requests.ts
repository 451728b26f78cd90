/** Requests of HTTP/2 that would be two, or other ones, as HTTP/1.1 (RFC 9113 sections 8.2, 8.3 and 10.3). */
import { type Field, requestFields } from '../../support/http2_wire.ts';
import { CHUNKED_THEN_SMUGGLED, SMUGGLED } from './row.ts';

export interface Http2Row {
  readonly name: string;
  readonly fields: readonly Field[];
  /** One DATA frame each; none: the head ends the stream. */
  readonly data: readonly string[];
  readonly trailers: readonly Field[] | null;
  /** The status; or `reset`: the stream is reset without a response; or `goaway`: the connection ends with GOAWAY. */
  readonly gets: number | 'reset' | 'goaway';
  /** The request reaches the backend whole, with this body; null: it must not. */
  readonly body: string | null;
  /** Further fields that the backend must get, as `name: value`. */
  readonly sent: readonly string[];
  /** A field that the backend must not get. */
  readonly dropped: string | null;
}

const GET = requestFields('GET', '/attack');
const POST = requestFields('POST', '/attack');

function row(name: string, fields: readonly Field[], rest: Partial<Http2Row>): Http2Row {
  return {
    name,
    fields,
    data: [],
    trailers: null,
    gets: 'reset',
    body: null,
    sent: [],
    dropped: null,
    ...rest,
  };
}
/** Malformed for the framing layer already (RFC 9113 section 8.1.1). */
const reset = (name: string, fields: readonly Field[], rest: Partial<Http2Row> = {}): Http2Row =>
  row(name, fields, rest);
/** Refused with a reason. */
const refused = (name: string, fields: readonly Field[], rest: Partial<Http2Row> = {}): Http2Row =>
  row(name, fields, { gets: 400, ...rest });
const passed = (name: string, fields: readonly Field[], rest: Partial<Http2Row> = {}): Http2Row =>
  row(name, fields, { gets: 200, body: '', ...rest });
/**
 * nghttp2 leaves a malformed field out and Node says nothing of it, although RFC 9113 section 8.2.1 would have the request
 * refused: what matters here is that nothing of it goes on.
 */
const dropped = (name: string, fields: readonly Field[], field: string): Http2Row =>
  passed(name, fields, { dropped: field });
/** With another value for one pseudo-header field; null takes it out. */
const but = (name: string, value: string | null): readonly Field[] =>
  GET.flatMap(field => (field[0] !== name ? [field] : value === null ? [] : [[name, value] as const]));
const withField = (name: string, value: string): readonly Field[] => [...GET, [name, value]];
const all = (values: Readonly<Record<string, string>>, make: (name: string, value: string) => Http2Row) =>
  Object.entries(values).map(([name, value]) => make(name, value));

const VALUES = {
  'CR LF and a field': 'a\r\nTransfer-Encoding: chunked',
  'CR LF CR LF and a request': `a\r\n\r\n${SMUGGLED}`,
  'a bare LF': 'a\nb',
  'a bare CR': 'a\rb',
  NUL: 'a\x00b',
  DEL: 'a\x7fb',
};
const NAMES = {
  'a space': 'x y',
  'a space behind': 'x ',
  'a colon': 'x:y',
  'a colon and a value': 'transfer-encoding: chunked\r\nx',
  'CR LF': 'x\r\ny',
  'a bare LF': 'x\ny',
  NUL: 'x\x00',
  'no letter': '',
  'a byte beyond ASCII': 'x\xe9',
  'a tab': 'x\ty',
};
const PATHS = {
  'CR LF and a field': '/attack HTTP/1.1\r\nX: y',
  'CR LF CR LF and a request': `/attack HTTP/1.1\r\n\r\n${SMUGGLED}`,
  'a bare LF': '/attack\nx',
  NUL: '/attack\x00',
};
const METHODS = {
  'CR LF': 'GET /smuggled HTTP/1.1\r\nX: y\r\n\r\nGET',
  'a bare LF': 'GET\n',
  NUL: 'GET\x00',
  'a space': 'GET /smuggled',
  'a slash': 'GET/',
  'a colon': 'GET:',
  'no letter': '',
};
const AUTHORITIES = {
  'CR LF': 'app.test\r\nX: y',
  NUL: 'app.test\x00',
};
const CONNECTION_FIELDS: Readonly<Record<string, string>> = {
  connection: 'close',
  'keep-alive': 'timeout=5',
  'proxy-connection': 'close',
  'transfer-encoding': 'chunked',
  upgrade: 'h2c',
  te: 'gzip',
};

export const HTTP2_REQUESTS: readonly Http2Row[] = [
  ...all(VALUES, (name, value) => dropped(`a value with ${name}`, withField('x', value), 'x')),
  ...all(NAMES, (name, value) => dropped(`a name with ${name}`, withField(value, 'y'), value)),
  reset('a name with a capital', withField('X-Upper', 'y')),
  ...all(PATHS, (name, value) => reset(`:path with ${name}`, but(':path', value))),
  ...all(METHODS, (name, value) => reset(`:method with ${name}`, but(':method', value))),
  ...all(AUTHORITIES, (name, value) => reset(`:authority with ${name}`, but(':authority', value))),
  reset(':path with a space', but(':path', '/attack HTTP/1.1')),
  reset(':path with a tab', but(':path', '/attack\tx')),
  refused(':path with a fragment', but(':path', '/attack#x')),
  reset(':path of no letter', but(':path', '')),
  reset(':path without a slash', but(':path', 'attack')),
  reset(':path "*" of GET', but(':path', '*')),
  reset(':path of absolute form', but(':path', 'http://other.test/attack')),
  reset(':authority with a user', but(':authority', 'user@app.test')),
  refused(':authority with a comma', but(':authority', 'app.test,other.test')),
  reset(':authority with a space', but(':authority', 'app.test other.test')),
  reset(':authority with a slash', but(':authority', 'app.test/x')),
  refused(':authority with a port that is a word', but(':authority', 'app.test:x')),
  reset(':authority of no letter', but(':authority', '')),
  reset('neither :authority nor host', but(':authority', null)),
  refused('host that is another one', withField('host', 'other.test')),
  dropped('host with a user beside :authority', withField('host', 'user@app.test'), 'host'),
  reset('host twice', [...GET, ['host', 'app.test'], ['host', 'app.test']]),
  passed('host that says the same', withField('host', 'app.test')),
  passed('host in place of :authority', [...but(':authority', null), ['host', 'app.test']]),
  reset(':scheme with CR LF', but(':scheme', 'http\r\nX: y')),
  reset(':scheme missing', but(':scheme', null)),
  reset(':path missing', but(':path', null)),
  reset(':method missing', but(':method', null)),
  ...[':method', ':scheme', ':path', ':authority'].map(name =>
    reset(`${name} twice`, [...GET, ...GET.filter(([other]) => other === name)]),
  ),
  reset('a pseudo-header field behind others', [...GET.slice(0, 3), ['x', 'y'], [':authority', 'app.test']]),
  reset('an unknown pseudo-header field', [[':x', 'y'], ...GET]),
  reset('a pseudo-header field of responses', [[':status', '200'], ...GET]),
  reset(':protocol without CONNECT', [...GET, [':protocol', 'websocket']]),
  ...all(CONNECTION_FIELDS, (name, value) =>
    reset(`${name}: ${value}`, [...POST, [name, value]], { data: [CHUNKED_THEN_SMUGGLED] }),
  ),
  passed('te: trailers', withField('te', 'trailers')),
  passed('transfer_encoding is left out', [...POST, ['transfer_encoding', 'chunked']], {
    data: [CHUNKED_THEN_SMUGGLED],
    body: CHUNKED_THEN_SMUGGLED,
  }),
  passed('http2-settings is left out', withField('http2-settings', 'AAMAAABkAAQAAP__')),
  reset('content-length above the body', [...POST, ['content-length', '50']], { data: ['hello'] }),
  reset('content-length below the body', [...POST, ['content-length', '3']], {
    data: ['hello'],
    gets: 'goaway',
  }),
  reset('content-length of 0 with a body', [...POST, ['content-length', '0']], {
    data: [SMUGGLED],
    gets: 'goaway',
  }),
  reset('content-length without a body', [...POST, ['content-length', '5']]),
  ...all(
    { 'with a plus': '+5', 'in a list': '5, 5', hexadecimal: '0x5', negative: '-5', 'of no digit': '' },
    (name, value) =>
      reset(`content-length ${name}`, [...POST, ['content-length', value]], { data: ['hello'] }),
  ),
  reset('content-length twice, the same', [...POST, ['content-length', '5'], ['content-length', '5']], {
    data: ['hello'],
  }),
  reset('content-length twice, different', [...POST, ['content-length', '5'], ['content-length', '6']], {
    data: ['hello'],
  }),
  passed('content-length that is right', [...POST, ['content-length', '5']], {
    data: ['hel', 'lo'],
    body: 'hello',
  }),
  passed('a body that looks like a request', POST, { data: [SMUGGLED], body: SMUGGLED }),
  passed('a body that looks like the end of chunks', POST, {
    data: [CHUNKED_THEN_SMUGGLED],
    body: CHUNKED_THEN_SMUGGLED,
  }),
  passed('a body of empty pieces', POST, { data: ['', 'hello', ''], body: 'hello' }),
  passed('cookie crumbs', [...GET, ['cookie', 'a=1'], ['x', 'y'], ['cookie', 'b=2']], {
    sent: ['cookie: a=1; b=2'],
  }),
  passed('a cookie crumb with CR LF', [...GET, ['cookie', 'a=1'], ['cookie', 'b=2\r\nX: y']], {
    sent: ['cookie: a=1'],
  }),
  passed('trailers', POST, { data: ['hello'], trailers: [['x', 'y']], body: 'hello' }),
  reset('trailers with a pseudo-header field', POST, { data: ['hello'], trailers: [[':path', '/smuggled']] }),
  passed('trailers with CR LF', POST, {
    data: ['hello'],
    trailers: [['x', 'y\r\nTransfer-Encoding: chunked']],
    body: 'hello',
  }),
  reset('trailers with a capital', POST, { data: ['hello'], trailers: [['X', 'y']] }),
  reset('trailers with transfer-encoding', POST, {
    data: ['hello'],
    trailers: [['transfer-encoding', 'chunked']],
  }),
  reset('trailers with content-length', POST, { data: ['hello'], trailers: [['content-length', '50']] }),
  row(
    'CONNECT',
    [
      [':method', 'CONNECT'],
      [':authority', 'app.test:80'],
    ],
    { gets: 501 },
  ),
  passed('a method in lower case', but(':method', 'get')),
  passed('expect: 100-continue with a body', [...POST, ['expect', '100-continue']], {
    data: ['hello'],
    body: 'hello',
  }),
];
