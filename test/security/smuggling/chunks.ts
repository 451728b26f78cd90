/** Chunks whose end two servers may see in two places (RFC 9112 section 7.1). */
import { HELLO_CHUNKED, passed, post, type Row, refused, SMUGGLED } from './row.ts';

const LAST = '0\r\n\r\n';

/** Bodies that break off where they are no chunks any more. */
const BROKEN: Readonly<Record<string, string>> = {
  'a size of 2^64': `10000000000000000\r\nhello\r\n${LAST}`,
  'a size of 2^64 + 5': `10000000000000005\r\nhello\r\n${LAST}`,
  'a size of 40 digits': `${'f'.repeat(40)}\r\nhello\r\n${LAST}`,
  'a negative size': `-5\r\nhello\r\n${LAST}`,
  'a size with a plus': `+5\r\nhello\r\n${LAST}`,
  'a size with 0x': `0x5\r\nhello\r\n${LAST}`,
  'a size in quotes': `"5"\r\nhello\r\n${LAST}`,
  'no size': `\r\nhello\r\n${LAST}`,
  'a size that is a word': `five\r\nhello\r\n${LAST}`,
  'a space before the size': ` 5\r\nhello\r\n${LAST}`,
  'a tab before the size': `\t5\r\nhello\r\n${LAST}`,
  'a space behind the size': `5 \r\nhello\r\n${LAST}`,
  'a tab behind the size': `5\t\r\nhello\r\n${LAST}`,
  'a space in the size': `1 0\r\nhello\r\n${LAST}`,
  'NUL behind the size': `5\x00\r\nhello\r\n${LAST}`,
  'a vertical tab behind the size': `5\x0b\r\nhello\r\n${LAST}`,
  'a comma behind the size': `5,\r\nhello\r\n${LAST}`,
  'a bare LF behind the size': `5\nhello\r\n${LAST}`,
  'a bare CR behind the size': `5\rhello\r\n${LAST}`,
  'CR CR LF behind the size': `5\r\r\nhello\r\n${LAST}`,
  'a bare LF behind the data': `5\r\nhello\n${LAST}`,
  'a bare CR behind the data': `5\r\nhello\r${LAST}`,
  'nothing behind the data': `5\r\nhello${LAST}`,
  'two bytes that are no line end behind the data': `5\r\nhelloXX${LAST}`,
  'data that is longer than its size': `4\r\nhello\r\n${LAST}`,
  'a bare LF behind the last size': `5\r\nhello\r\n0\n\r\n`,
  'bare LF everywhere': '5\nhello\n0\n\n',
  'a bare LF in an extension': `5;a\nb\r\nhello\r\n${LAST}`,
  'a bare LF that ends an extension': `5;a\nhello\r\n${LAST}`,
  'a bare CR in an extension': `5;a\rb\r\nhello\r\n${LAST}`,
  'NUL in an extension': `5;a\x00\r\nhello\r\n${LAST}`,
  'CR LF in a quoted extension': `5;a="x\r\n${SMUGGLED}"\r\nhello\r\n${LAST}`,
  'an extension that never closes its quotes': `5;a="x\r\nhello\r\n${LAST}`,
  'extensions without end': `5;${'a'.repeat(20_000)}\r\nhello\r\n${LAST}`,
  'a trailer with a space before its colon': `5\r\nhello\r\n0\r\nX : y\r\n\r\n`,
  'a trailer without a colon': `5\r\nhello\r\n0\r\nX\r\n\r\n`,
  'a trailer that is folded': `5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n`,
  'a trailer with NUL': `5\r\nhello\r\n0\r\nX: \x00\r\n\r\n`,
  'a trailer behind a bare LF': `5\r\nhello\r\n0\r\nX: y\nZ: z\r\n\r\n`,
  'a trailer Content-Length': `5\r\nhello\r\n0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n`,
  'a trailer Transfer-Encoding': '5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n',
};

const chunked = (body: string): string => post(['Transfer-Encoding: chunked'], body);
/** One body, however it is cut, and nothing else of it for the backend. */
const hello = (name: string, body: string): Row =>
  passed(`chunks, ${name}`, chunked(body), ['/attack'], { bodies: ['hello'] });

export const CHUNKS: readonly Row[] = [
  ...Object.entries(BROKEN).map(([name, body]) => refused(`chunks, ${name}`, chunked(body + SMUGGLED))),
  hello('whole', HELLO_CHUNKED),
  hello('a size with leading zeros', `0005\r\nhello\r\n${LAST}`),
  hello('a last size of many zeros', '5\r\nhello\r\n0000\r\n\r\n'),
  hello('one byte each', `1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n${LAST}`),
  hello('an extension', `5;ext\r\nhello\r\n${LAST}`),
  hello('an extension with a value', `5;ext=value\r\nhello\r\n${LAST}`),
  hello('a quoted extension', `5;ext="a;b,c"\r\nhello\r\n${LAST}`),
  hello('an extension on the last chunk', '5\r\nhello\r\n0;ext=1\r\n\r\n'),
  hello('a trailer', '5\r\nhello\r\n0\r\nX: y\r\n\r\n'),
  hello('a trailer Host', '5\r\nhello\r\n0\r\nHost: other.test\r\n\r\n'),
  passed(
    'chunks, a trailer Connection: close, and a request behind',
    chunked(`5\r\nhello\r\n0\r\nConnection: close\r\n\r\n${SMUGGLED}`),
    ['/attack'],
    { bodies: ['hello'], after: 'closed' },
  ),
  passed('chunks, and a request behind them', chunked(HELLO_CHUNKED + SMUGGLED), ['/attack', '/smuggled'], {
    bodies: ['hello', ''],
  }),
  passed(
    'a request inside a chunk',
    chunked(`${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n${LAST}`),
    ['/attack'],
    {
      bodies: [SMUGGLED],
    },
  ),
  {
    ...refused(
      'chunks, a size of 2^64 - 1, with the end far away',
      chunked(`ffffffffffffffff\r\nhello\r\n${LAST}${SMUGGLED}`),
    ),
    answers: [],
    finish: true,
  },
];
