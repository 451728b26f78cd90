/** Transfer-Encoding in every spelling that one server may take for chunked and another one not (RFC 9112 section 6.1). */
import { CHUNKED_THEN_SMUGGLED, HELLO_CHUNKED, passed, post, type Row, refused, request } from './row.ts';

/** Field lines; none of them is chunked by the letter. */
const OBFUSCATED: Readonly<Record<string, string>> = {
  'a letter before': 'Transfer-Encoding: xchunked',
  'a letter behind': 'Transfer-Encoding: chunkedx',
  'a part of the word': 'Transfer-Encoding: chunk',
  'a space in the word': 'Transfer-Encoding: chun ked',
  'a tab behind': 'Transfer-Encoding: chunked\t',
  'a tab in the word': 'Transfer-Encoding: chun\tked',
  'a vertical tab before': 'Transfer-Encoding: \x0bchunked',
  'a vertical tab behind': 'Transfer-Encoding: chunked\x0b',
  'a form feed before': 'Transfer-Encoding:\x0cchunked',
  'NUL before': 'Transfer-Encoding: \x00chunked',
  'NUL behind': 'Transfer-Encoding: chunked\x00',
  'DEL behind': 'Transfer-Encoding: chunked\x7f',
  'a no-break space behind': 'Transfer-Encoding: chunked\xa0',
  'a byte beyond ASCII before': 'Transfer-Encoding: \xffchunked',
  'identity behind': 'Transfer-Encoding: chunked, identity',
  'identity before': 'Transfer-Encoding: identity, chunked',
  'identity alone': 'Transfer-Encoding: identity',
  'chunked twice': 'Transfer-Encoding: chunked, chunked',
  'a comma behind': 'Transfer-Encoding: chunked,',
  'a comma before': 'Transfer-Encoding: ,chunked',
  'gzip before': 'Transfer-Encoding: gzip, chunked',
  'gzip behind': 'Transfer-Encoding: chunked, gzip',
  'double quotes': 'Transfer-Encoding: "chunked"',
  'single quotes': "Transfer-Encoding: 'chunked'",
  'a parameter': 'Transfer-Encoding: chunked;q=1',
  'an equals sign': 'Transfer-Encoding: =chunked',
  'a colon twice': 'Transfer-Encoding:: chunked',
  'no value': 'Transfer-Encoding:',
  'a folded value': 'Transfer-Encoding:\r\n chunked',
  'a folded value with a tab': 'Transfer-Encoding:\r\n\tchunked',
  'a folded second coding': 'Transfer-Encoding: chunked\r\n , identity',
  'a space before the colon': 'Transfer-Encoding : chunked',
  'a tab before the colon': 'Transfer-Encoding\t: chunked',
  'NUL before the colon': 'Transfer-Encoding\x00: chunked',
  'a space before the name': 'X: y\r\n Transfer-Encoding: chunked',
  'a tab before the name': 'X: y\r\n\tTransfer-Encoding: chunked',
  'a line end before the colon': 'Transfer-Encoding\r\n : chunked',
  'a bare LF before the name': 'X: y\nTransfer-Encoding: chunked',
  'a bare CR before the name': 'X: y\rTransfer-Encoding: chunked',
  'a bare CR behind': 'Transfer-Encoding: chunked\r',
  'another one behind': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: x',
  'another one before': 'Transfer-Encoding: x\r\nTransfer-Encoding: chunked',
  'the same one twice': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'identity in a second field': 'Transfer-Encoding: chunked\r\ntransfer-encoding: identity',
  'an empty second field': 'Transfer-Encoding: chunked\r\nTransfer-Encoding:',
};

/** By the letter chunked, however it is written (RFC 9110 section 5.5, RFC 9112 section 7). */
const CHUNKED: Readonly<Record<string, string>> = {
  'without a space': 'Transfer-Encoding:chunked',
  'with two spaces': 'Transfer-Encoding:  chunked',
  'with a tab': 'Transfer-Encoding:\tchunked',
  'with spaces behind': 'Transfer-Encoding: chunked  ',
  'in capitals': 'Transfer-Encoding: CHUNKED',
  'in mixed case': 'tRANSFER-eNCODING: cHuNkEd',
};

/** Names that are another field, but the same variable for a CGI program (RFC 3875 section 4.1.18). */
const LOOK_ALIKES = ['Transfer_Encoding: chunked', 'transfer_encoding: chunked'];

/** A length that covers the smuggled request, for whoever goes by it. */
const LENGTH = `Content-Length: ${CHUNKED_THEN_SMUGGLED.length}`;

export const TRANSFER_ENCODING: readonly Row[] = [
  ...Object.entries(OBFUSCATED).flatMap(([name, line]) => [
    refused(`obfuscated Transfer-Encoding, ${name}`, post([line], CHUNKED_THEN_SMUGGLED)),
    refused(`TE.TE: a length and Transfer-Encoding, ${name}`, post([LENGTH, line], CHUNKED_THEN_SMUGGLED)),
  ]),
  ...Object.entries(CHUNKED).flatMap(([name, line]) => [
    passed(`chunked ${name}`, post([line], HELLO_CHUNKED), ['/attack'], { bodies: ['hello'] }),
    refused(`CL.TE: a length, then chunked ${name}`, post([LENGTH, line], CHUNKED_THEN_SMUGGLED)),
    refused(`TE.CL: chunked ${name}, then a short length`, post([line, 'Content-Length: 3'], HELLO_CHUNKED)),
  ]),
  ...LOOK_ALIKES.map(line =>
    passed(`${line} beside a length`, post([LENGTH, line], CHUNKED_THEN_SMUGGLED), ['/attack'], {
      bodies: [CHUNKED_THEN_SMUGGLED],
    }),
  ),
  refused(
    'CL.0: a length of 0 and chunks',
    post(['Content-Length: 0', 'Transfer-Encoding: chunked'], HELLO_CHUNKED),
  ),
  refused(
    'chunks in HTTP/1.0',
    request('POST /attack HTTP/1.0', ['Transfer-Encoding: chunked'], CHUNKED_THEN_SMUGGLED),
  ),
  refused(
    'chunks and a length in HTTP/1.0 with keep-alive',
    request(
      'POST /attack HTTP/1.0',
      ['Connection: keep-alive', 'Transfer-Encoding: chunked', LENGTH],
      CHUNKED_THEN_SMUGGLED,
    ),
  ),
  passed('TE: chunked is no framing', post(['TE: chunked', LENGTH], CHUNKED_THEN_SMUGGLED), ['/attack'], {
    bodies: [CHUNKED_THEN_SMUGGLED],
  }),
  passed(
    'chunks on GET',
    request('GET /attack HTTP/1.1', ['Transfer-Encoding: chunked'], HELLO_CHUNKED),
    ['/attack'],
    { bodies: ['hello'] },
  ),
  passed(
    'Connection: transfer-encoding beside chunks',
    post(['Connection: transfer-encoding', 'Transfer-Encoding: chunked'], HELLO_CHUNKED),
    ['/attack'],
    { bodies: ['hello'] },
  ),
];
