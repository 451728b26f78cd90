/** Responses of a backend that say their end in two ways, or go on behind it (RFC 9112 sections 6 and 7, RFC 9110 section 15). */

/** What an attacker behind the backend wants a stranger to get. */
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON';

export interface ResponseRow {
  readonly name: string;
  readonly method: string;
  /** Latin-1, in one packet. */
  readonly bytes: string;
  /** The backend ends the connection behind them. */
  readonly ends: boolean;
  /** What the client of this request gets; `cut`: a head of 200, and no whole body. */
  readonly gets: number | 'cut';
  /** Of a whole response. */
  readonly body: string;
}

const head = (...lines: readonly string[]): string => `${['HTTP/1.1 200 OK', ...lines].join('\r\n')}\r\n\r\n`;
const row = (
  name: string,
  bytes: string,
  gets: number | 'cut',
  rest: Partial<ResponseRow> = {},
): ResponseRow => ({ name, bytes: bytes + POISON, gets, method: 'GET', ends: false, body: 'hello', ...rest });
const refused = (name: string, bytes: string): ResponseRow => row(name, bytes, 502);
const whole = (name: string, bytes: string, rest: Partial<ResponseRow> = {}): ResponseRow =>
  row(name, bytes, 200, rest);

/** Lines that frame `hello` in two ways, or in none. */
const FRAMINGS: Readonly<Record<string, string>> = {
  'Content-Length twice, the same': 'Content-Length: 5\r\nContent-Length: 5',
  'Content-Length twice, different': 'Content-Length: 5\r\nContent-Length: 50',
  'Content-Length in a list': 'Content-Length: 5, 5',
  'Content-Length in a list of two': 'Content-Length: 5,6',
  'Content-Length with a plus': 'Content-Length: +5',
  'a negative Content-Length': 'Content-Length: -5',
  'a hexadecimal Content-Length': 'Content-Length: 0x5',
  'an empty Content-Length': 'Content-Length:',
  'a Content-Length with a space in it': 'Content-Length: 5 5',
  'a Content-Length above 2^64': 'Content-Length: 18446744073709551621',
  'a folded Content-Length': 'Content-Length:\r\n 5',
  'Content-Length with a space before its colon': 'Content-Length : 5',
  'Content-Length behind a bare LF': 'X: y\nContent-Length: 5',
  'Content-Length behind a bare CR': 'X: y\rContent-Length: 5',
  'Content-Length, then chunked': 'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'chunked, then Content-Length': 'Transfer-Encoding: chunked\r\nContent-Length: 5',
  'chunked twice': 'Transfer-Encoding: chunked, chunked',
  'gzip before chunked': 'Transfer-Encoding: gzip, chunked',
  'a transfer coding that nobody knows': 'Transfer-Encoding: xchunked',
  'chunked with a vertical tab': 'Transfer-Encoding: chunked\x0b',
  'Transfer-Encoding with a space before its colon': 'Transfer-Encoding : chunked',
  'NUL in a value': 'X: a\x00b\r\nContent-Length: 5',
  'an empty field name': ': y\r\nContent-Length: 5',
  'a line without a colon': 'X\r\nContent-Length: 5',
};

const STATUS_LINES: Readonly<Record<string, string>> = {
  'a bare LF behind it': 'HTTP/1.1 200 OK\nX: y',
  'another protocol': 'ICY 200 OK',
  'a status of two digits': 'HTTP/1.1 20 OK',
  'a status of four digits': 'HTTP/1.1 2000 OK',
  'a status that is a word': 'HTTP/1.1 OK',
  'a switch that nobody asked for': 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x',
};

const CHUNKS: Readonly<Record<string, string>> = {
  'a negative size': '-5\r\nhello\r\n0\r\n\r\n',
  'a size with 0x': '0x5\r\nhello\r\n0\r\n\r\n',
  'a size above 2^64': '10000000000000005\r\nhello\r\n0\r\n\r\n',
  'a bare LF behind the size': '5\nhello\r\n0\r\n\r\n',
  'no line end behind the data': '5\r\nhello0\r\n\r\n',
  'data that is longer than its size': '4\r\nhello\r\n0\r\n\r\n',
};

const chunked = (body: string): string => head('Transfer-Encoding: chunked') + body;
const HELLO_CHUNKED = '5\r\nhello\r\n0\r\n\r\n';

export const RESPONSES: readonly ResponseRow[] = [
  ...Object.entries(FRAMINGS).map(([name, lines]) => refused(name, `${head(lines)}hello`)),
  ...Object.entries(STATUS_LINES).map(([name, line]) =>
    refused(`status line, ${name}`, `${line}\r\nContent-Length: 5\r\n\r\nhello`),
  ),
  ...Object.entries(CHUNKS).map(([name, body]) => refused(`chunks, ${name}`, chunked(body))),
  // The parser takes any version that it knows, and reads on as HTTP/1.
  ...['HTTP/2.0', 'HTTP/0.9'].map(version =>
    whole(`status line, the version ${version}`, `${version} 200 OK\r\nContent-Length: 5\r\n\r\nhello`),
  ),
  whole('a second response behind a body', `${head('Content-Length: 5')}hello`),
  whole('a second response behind an empty body', head('Content-Length: 0'), { body: '' }),
  whole('garbage behind a body', `${head('Content-Length: 5')}hellogarbage`),
  whole('a line end behind a body', `${head('Content-Length: 5')}hello\r\n`),
  whole('a second response behind chunks', chunked(HELLO_CHUNKED)),
  whole('garbage behind chunks', chunked(`${HELLO_CHUNKED}garbage`)),
  whole('a trailer Transfer-Encoding', chunked('5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n')),
  whole('a trailer Content-Length', chunked('5\r\nhello\r\n0\r\nContent-Length: 6\r\n\r\n')),
  whole('a trailer Connection: close', chunked('5\r\nhello\r\n0\r\nConnection: close\r\n\r\n')),
  whole(
    'a second response behind Connection: close',
    `${head('Connection: close', 'Content-Length: 5')}hello`,
  ),
  whole(
    'a second response behind 1xx and a body',
    `HTTP/1.1 103 Early Hints\r\n\r\n${head('Content-Length: 5')}hello`,
  ),
  whole('a Content-Length with leading zeros', `${head('Content-Length: 005')}hello`),
  whole(
    'Transfer_Encoding beside a length',
    `${head('Transfer_Encoding: chunked', 'Content-Length: 5')}hello`,
  ),
  row('204 with a body', 'HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nPOISON', 204, { body: '' }),
  row(
    '204 with chunks',
    `HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n${HELLO_CHUNKED}`,
    204,
    { body: '' },
  ),
  row('204 and a second response', 'HTTP/1.1 204 No Content\r\n\r\n', 204, { body: '' }),
  row('304 with a body', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\nPOISON', 304, { body: '' }),
  row('304 and a second response', 'HTTP/1.1 304 Not Modified\r\n\r\n', 304, { body: '' }),
  whole('HEAD with a body', `${head('Content-Length: 5')}hello`, { method: 'HEAD', body: '' }),
  whole('HEAD with chunks', chunked(HELLO_CHUNKED), { method: 'HEAD', body: '' }),
  whole('HEAD and a second response', head('Content-Length: 5'), { method: 'HEAD', body: '' }),
  whole('a second response behind the answer to OPTIONS', `${head('Content-Length: 5')}hello`, {
    method: 'OPTIONS',
  }),
  // Without a length the body goes on to the end of the connection (RFC 9112 section 6.3): all of it is for this client.
  whole('no framing', `${head('X: y')}hello`, { ends: true, body: `hello${POISON}` }),
  whole('HTTP/1.0 without framing', 'HTTP/1.0 200 OK\r\n\r\nhello', { ends: true, body: `hello${POISON}` }),
  row('a body that ends before its length', `${head('Content-Length: 500')}hello`, 'cut', { ends: true }),
  row('chunks that end before the last one', chunked('500\r\nhello'), 'cut', { ends: true }),
];
