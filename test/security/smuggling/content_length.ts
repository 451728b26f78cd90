/** Content-Length in every spelling that two servers may read as two numbers (RFC 9110 section 8.6, RFC 9112 section 6.3). */
import { passed, post, type Row, refused, request, SMUGGLED } from './row.ts';

/** Values, or several lines; none of them is one decimal number. */
const OBFUSCATED: Readonly<Record<string, string>> = {
  'with a plus': 'Content-Length: +5',
  negative: 'Content-Length: -5',
  'minus zero': 'Content-Length: -0',
  empty: 'Content-Length:',
  'a space alone': 'Content-Length:  ',
  'twice in a list, the same': 'Content-Length: 5, 5',
  'twice in a list, different': 'Content-Length: 5,6',
  'with a comma behind': 'Content-Length: 5,',
  'with a comma before': 'Content-Length: ,5',
  'in two fields, the same': 'Content-Length: 5\r\nContent-Length: 5',
  'in two fields, different': 'Content-Length: 5\r\nContent-Length: 0',
  'in two fields of other case': 'Content-Length: 5\r\ncontent-length: 50',
  'zero, then more': 'Content-Length: 0\r\nContent-Length: 5',
  hexadecimal: 'Content-Length: 0x5',
  octal: 'Content-Length: 0o5',
  'with an exponent': 'Content-Length: 5e0',
  'with a fraction': 'Content-Length: 5.0',
  'with a space inside': 'Content-Length: 5 5',
  'with a tab inside': 'Content-Length: 5\t5',
  'with a letter behind': 'Content-Length: 5a',
  'with NUL behind': 'Content-Length: 5\x00',
  'with NUL before': 'Content-Length: \x005',
  'with a vertical tab before': 'Content-Length: \x0b5',
  'with a no-break space behind': 'Content-Length: 5\xa0',
  'in quotes': 'Content-Length: "5"',
  'with a semicolon': 'Content-Length: 5;',
  'with an underscore': 'Content-Length: 1_0',
  folded: 'Content-Length:\r\n 5',
  'folded in the number': 'Content-Length: 5\r\n 0',
  'a space before the colon': 'Content-Length : 5',
  'a tab before the colon': 'Content-Length\t: 5',
  'a bare LF before the name': 'X: y\nContent-Length: 5',
  'a bare CR before the name': 'X: y\rContent-Length: 5',
  'a bare CR behind': 'Content-Length: 5\r',
  'a space before the name': 'X: y\r\n Content-Length: 5',
  '2^64': 'Content-Length: 18446744073709551616',
  '2^64 + 5': 'Content-Length: 18446744073709551621',
  '2^53 + 1': 'Content-Length: 9007199254740993',
  'of forty digits': `Content-Length: ${'9'.repeat(40)}`,
  'of a thousand zeros and a five': `Content-Length: ${'0'.repeat(1000)}5`,
  'beside Content-Length by Connection':
    'Connection: content-length\r\nContent-Length: 5\r\nContent-Length: 6',
};

const LENGTH = `Content-Length: ${SMUGGLED.length}`;

export const CONTENT_LENGTH: readonly Row[] = [
  ...Object.entries(OBFUSCATED).map(([name, line]) =>
    refused(`Content-Length ${name}`, post([line], `hello${SMUGGLED}`)),
  ),
  passed('Content-Length with leading zeros', post(['Content-Length: 005'], 'hello'), ['/attack'], {
    bodies: ['hello'],
  }),
  passed('Content-Length with spaces around it', post(['Content-Length:  5  '], 'hello'), ['/attack'], {
    bodies: ['hello'],
  }),
  passed('Content-Length on GET', request('GET /attack HTTP/1.1', [LENGTH], SMUGGLED), ['/attack'], {
    bodies: [SMUGGLED],
  }),
  passed('Content-Length on HEAD', request('HEAD /attack HTTP/1.1', [LENGTH], SMUGGLED), ['/attack'], {
    bodies: [SMUGGLED],
  }),
  passed('Content-Length on DELETE', request('DELETE /attack HTTP/1.1', [LENGTH], SMUGGLED), ['/attack'], {
    bodies: [SMUGGLED],
  }),
  passed('Content-Length on OPTIONS *', request('OPTIONS * HTTP/1.1', [LENGTH], SMUGGLED), ['*'], {
    bodies: [SMUGGLED],
  }),
  passed('POST without any length', post([]), ['/attack'], { bodies: [''] }),
  passed('POST without any length, and a request behind', post([]) + SMUGGLED, ['/attack', '/smuggled']),
  passed(
    'Content-Length that Connection names',
    post(['Connection: content-length', LENGTH], SMUGGLED),
    ['/attack'],
    {
      bodies: [SMUGGLED],
    },
  ),
  passed('Content_Length beside a length', post(['Content_Length: 0', LENGTH], SMUGGLED), ['/attack'], {
    bodies: [SMUGGLED],
  }),
  {
    ...refused('a body that ends before its length', post(['Content-Length: 500'], SMUGGLED)),
    answers: [],
    finish: true,
  },
  {
    ...refused('chunks that end before the last one', post(['Transfer-Encoding: chunked'], '5\r\nhel')),
    answers: [],
    finish: true,
  },
];
