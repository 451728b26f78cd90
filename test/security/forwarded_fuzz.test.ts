// Goal: whatever a client writes in front of what a trusted proxy appends, the client is who that proxy says, or the request is
// refused; and nothing throws. Method: hostile pieces, then the honest end. FUZZ_SEED repeats a story, FUZZ_ROUNDS makes it longer.
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { buildProxyTrust, resolveClientAddress } from '../../src/security/client_address.ts';
import { findHeader } from '../../src/security/fields.ts';
import { formatForwarded, parseForwarded } from '../../src/security/forwarded.ts';
import { buildHeaderEdits, buildUpstreamHeaders } from '../../src/security/headers.ts';
import { acceptedHead, forwardingFacts, rawRequest } from '../support/request_heads.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20261130);
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 20_000);
const random = seededRandom(SEED);
const below = (limit: number) => Math.floor(random.unit() * limit);
const oneOf = <T>(choices: readonly T[]): T => choices[below(choices.length)] as T;
const some = (most: number, pieces: readonly string[]) =>
  Array.from({ length: below(most + 1) }, () => oneOf(pieces)).join('');

const TRUST = [1, 2].map(trustedHops =>
  buildProxyTrust({ trustedProxies: ['10.0.0.0/8', 'fd00::/8'], trustedHops, trustedHeaders: null }),
);
const PEER = '10.0.0.1';
const NO_EDITS = buildHeaderEdits({ remove: [], set: [], add: [] });
const PIECES = [
  ...[
    'for=',
    'For=',
    'proto=',
    'host=',
    'by=',
    '=',
    ';',
    ',',
    ' ',
    '\t',
    '"',
    '\\',
    '\\"',
    '[',
    ']',
    ':',
    '_x',
  ],
  ...[
    '6.6.6.6',
    '10.9.9.9',
    '[fd00::9]',
    '"[2001:db8::6]:1"',
    'unknown',
    'https',
    'http',
    'evil',
    '\x80',
    'fe80::1%e',
  ],
];

/** What a real client is called by the proxy behind it, with what the walk must make of it. */
const CLIENTS = [
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7:4711', '203.0.113.7'],
  ['2001:db8::7', '2001:db8::7'],
  ['[2001:db8::7]:443', '2001:db8::7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
] as const;

function checkUpstream(headers: string[], claimOf: ReturnType<typeof resolveClientAddress>, context: string) {
  const head = acceptedHead(rawRequest({ headers: ['Host', 'a.example', ...headers] }));
  const facts = forwardingFacts({ peerIp: PEER, claim: claimOf.claim, tls: null });
  const list = buildUpstreamHeaders(head, facts, NO_EDITS);
  for (const name of ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded']) {
    const count = list.filter((text, at) => at % 2 === 0 && text.toLowerCase() === name).length;
    assert(count <= 1 || name === 'x-forwarded-proto', `${name} ${count} times: ${context}`);
  }
  const forwarded = findHeader(list, 'forwarded');
  if (forwarded !== null) assert.notEqual(parseForwarded(forwarded), null, `not well formed: ${context}`);
  assert(findHeader(list, 'x-forwarded-for')?.endsWith(PEER), context);
  return { list, forwarded };
}

test(`X-Forwarded-For: the last item of the proxy is the client, whatever stands left of it (seed ${SEED})`, () => {
  for (let round = 0; round < ROUNDS; round++) {
    const [item, ip] = oneOf(CLIENTS);
    const hops = 1 + below(2);
    const own = hops === 2 ? oneOf([', 34.1.2.3', ',34.1.2.3:80', ' , [2001:db8::9]']) : '';
    const headers = [
      ...['X-Forwarded-For', `${some(6, PIECES)},${oneOf(['', ' '])}${item}${own}`],
      ...(below(3) === 0 ? ['Forwarded', some(8, PIECES)] : []),
      ...(below(3) === 0 ? ['X-Forwarded-Proto', oneOf(['https', 'http', 'x'])] : []),
    ];
    const context = `seed ${SEED}, round ${round}: ${JSON.stringify(headers)}`;
    const trust = TRUST[hops - 1];
    assert(trust !== undefined);
    const found = resolveClientAddress(PEER, trust, headers);
    assert.equal(found.clientIp, ip, context);
    assert.deepEqual(
      [found.peerTrusted, found.malformed, found.source],
      [true, false, 'X-Forwarded-For'],
      context,
    );
    checkUpstream(headers, found, context);
  }
});

test(`Forwarded: the last element of the proxy is the client, or the request is refused (seed ${SEED})`, () => {
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const [item, ip] = oneOf(CLIENTS);
    const node = isIP(item) === 4 ? item : `"${isIP(item) === 6 ? `[${item}]` : item}"`;
    const honest = `for=${node};proto=https;host=shop.example`;
    const own = below(3) === 0 ? `, ${formatForwarded('10.3.3.3', 'inner', 'http')}` : '';
    const hostile = some(8, PIECES);
    const headers =
      below(2) === 0
        ? ['Forwarded', `${hostile}, ${honest}${own}`]
        : ['Forwarded', hostile, 'Forwarded', `${honest}${own}`];
    if (below(3) === 0) headers.push('X-Forwarded-Proto', 'http', 'X-Forwarded-Host', 'evil');
    const context = `seed ${SEED}, round ${round}: ${JSON.stringify(headers)}`;
    const found = resolveClientAddress(PEER, TRUST[0] as (typeof TRUST)[0], headers);
    if (found.malformed) {
      refused++;
      continue;
    }
    const { proto, host } = found.claim;
    assert.deepEqual([found.clientIp, proto, host], [ip, 'https', 'shop.example'], context);
    const { list } = checkUpstream(headers, found, context);
    assert.equal(findHeader(list, 'x-forwarded-proto'), 'https', context);
    assert.equal(findHeader(list, 'x-forwarded-host'), 'shop.example', context);
  }
  assert(refused > ROUNDS / 20 && refused < ROUNDS * 0.99, `${refused} of ${ROUNDS} refused: badly mixed`);
});
