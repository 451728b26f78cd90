// RFC 9110 section 7.6.1: what is for one connection ends with it, in both directions, in interim answers and
// trailers; everything else goes on as it came.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildHeaderEdits,
  buildUpstreamHeaders,
  filterInformation,
  filterResponseHeaders,
  filterTrailers,
} from '../../src/security/headers.ts';
import { acceptedHead, fields, forwardingFacts, rawRequest } from '../support/request_heads.ts';

const NO_EDITS = buildHeaderEdits({ remove: [], set: [], add: [] });
const FILTERS: Readonly<Record<string, (list: string[]) => string[]>> = {
  request: list =>
    buildUpstreamHeaders(
      acceptedHead(rawRequest({ headers: ['Host', 'a', ...list] })),
      forwardingFacts(),
      NO_EDITS,
    ),
  answer: list => filterResponseHeaders(200, list, forwardingFacts(), NO_EDITS),
  'interim answer': list => filterInformation(list),
  trailers: list => filterTrailers(list),
};

/** The fields of the sender that are left, without what the proxy adds. */
function left(filter: (list: string[]) => string[], sent: string[]): string[] {
  const list = filter(sent);
  const names = sent.filter((_, at) => at % 2 === 0);
  const kept: string[] = [];
  for (let at = 0; at < list.length; at += 2) {
    if (names.includes(list[at] as string)) kept.push(list[at] as string, list[at + 1] as string);
  }
  return kept;
}

const OF_ONE_HOP = ['Connection', 'Keep-Alive', 'Proxy-Connection', 'TE', 'Upgrade'];
const LISTS: readonly (readonly [connection: string[], gone: string[]])[] = [
  [['x-hop'], ['X-Hop']],
  [['close, X-HOP'], ['X-Hop']],
  [['x-hop,x-other'], ['X-Hop', 'X-Other']],
  [['\tx-hop ,, x-other,'], ['X-Hop', 'X-Other']],
  [
    ['x-hop', 'x-other'],
    ['X-Hop', 'X-Other'],
  ],
  [['x-ho', 'x-hop2', 'hop'], []],
];

for (const [direction, filter] of Object.entries(FILTERS)) {
  test(`RFC 9110 section 7.6.1, ${direction}: fields for one hop are removed in any case`, () => {
    for (const name of OF_ONE_HOP) {
      for (const spelled of [name, name.toLowerCase(), name.toUpperCase()]) {
        const kept = left(filter, [spelled, 'close', 'X-Kept', '1']);
        assert.deepEqual(kept, ['X-Kept', '1'], spelled);
      }
    }
  });

  test(`RFC 9110 section 7.6.1, ${direction}: fields that Connection names are removed, and only these`, () => {
    for (const [connections, gone] of LISTS) {
      const sent = [
        ...connections.flatMap(value => ['Connection', value]),
        ...fields('X-Hop: 1', 'X-Kept: 2', 'x-hop: 3', 'X-Other: 4'),
      ];
      const kept = left(filter, sent).filter((_, at) => at % 2 === 0);
      const expected = ['X-Hop', 'X-Kept', 'x-hop', 'X-Other'].filter(
        name => !gone.some(other => other.toLowerCase() === name.toLowerCase()),
      );
      assert.deepEqual(kept, expected, JSON.stringify(connections));
    }
  });

  test(`RFC 9110 section 5.3, ${direction}: order, case and duplicates of all others are kept`, () => {
    const sent = fields('b: 1', 'A: 2', 'B: 3', 'Connection: close', 'a: 4', 'X-Empty:', 'b: 1');
    assert.deepEqual(left(filter, sent), fields('b: 1', 'A: 2', 'B: 3', 'a: 4', 'X-Empty:', 'b: 1'));
  });
}
