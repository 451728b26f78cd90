/** Responses of an HTTP/2 backend that would be something else as HTTP/1.1 (RFC 9113 sections 8.2, 8.3.2 and 10.3). */
import type { Field } from '../../support/http2_wire.ts';

export interface Http2ResponseRow {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly data: string;
  readonly trailers: readonly Field[] | null;
  /** What a client of HTTP/1.1 gets; `cut`: a head of 200, and no whole body. */
  readonly gets: number | 'cut';
}

const OK: Field = [':status', '200'];

function row(
  name: string,
  fields: readonly Field[],
  gets: number | 'cut',
  rest: Partial<Http2ResponseRow> = {},
): Http2ResponseRow {
  return { name, fields, data: 'hello', trailers: null, gets, ...rest };
}

export const HTTP2_RESPONSES: readonly Http2ResponseRow[] = [
  // nghttp2 leaves a malformed field out; nothing of it goes on.
  row('a value with CR LF and a field', [OK, ['x', 'a\r\nSet-Cookie: poison=1']], 200),
  row('a value with CR LF CR LF and a response', [OK, ['x', 'a\r\n\r\nHTTP/1.1 200 OK\r\n\r\npoison']], 200),
  row('a value with a bare LF', [OK, ['x', 'a\npoison: 1']], 200),
  row('a value with NUL', [OK, ['x', 'poison\x00']], 200),
  row('a name with a colon', [OK, ['poison: 1\r\nx', 'y']], 200),
  row('a name with a space', [OK, ['poison x', 'y']], 200),
  row('a name with a capital', [OK, ['X-Poison', 'y']], 502),
  row('transfer-encoding', [OK, ['transfer-encoding', 'chunked']], 502),
  row('connection', [OK, ['connection', 'close']], 502),
  row(':status twice', [OK, OK], 502),
  row(':status with a reason', [[':status', '200 poison']], 502),
  row(':status missing', [['x', 'y']], 502),
  row('a pseudo-header field of requests', [OK, [':path', '/poison']], 502),
  row('content-length twice, the same', [OK, ['content-length', '5'], ['content-length', '5']], 502),
  row('content-length twice, different', [OK, ['content-length', '5'], ['content-length', '9']], 502),
  row('content-length with a plus', [OK, ['content-length', '+5']], 502),
  row('content-length above the body', [OK, ['content-length', '50']], 'cut'),
  row('content-length below the body', [OK, ['content-length', '3']], 'cut'),
  row('trailers with a pseudo-header field', [OK], 'cut', { trailers: [[':status', '200']] }),
  row('trailers with CR LF', [OK], 200, { trailers: [['x', 'a\r\npoison: 1']] }),
  row('trailers with set-cookie', [OK], 200, { trailers: [['set-cookie', 'poison=1']] }),
];
