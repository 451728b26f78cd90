// Goal: nothing that a stranger sends makes the parser throw, or leaves a promise of RequestHead broken.
// Method: heads put together from hostile pieces, from a seed that a failure prints. See support/fuzz.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILURE_RULES } from '../../src/resilience/failure.ts';
import { buildProxyTrust, resolveClientAddress } from '../../src/security/client_address.ts';
import { buildHeaderEdits, buildUpstreamHeaders } from '../../src/security/headers.ts';
import { normalisePath, type PathRules } from '../../src/security/path.ts';
import { parseRequestHead, type RawRequest } from '../../src/security/request_head.ts';
import { chance, FUZZ_SEED, rounds } from '../support/fuzz.ts';
import { forwardingFacts, HEAD_LIMITS } from '../support/request_heads.ts';

const SEED = FUZZ_SEED;
const ROUNDS = 20_000;
const { below, oneOf, some } = chance();

const PATH_PIECES = [
  '/',
  '/',
  '/',
  '.',
  '..',
  '%2e',
  '%2E',
  '%2f',
  '%2F',
  '%5c',
  '\\',
  ';',
  '%3b',
  '%',
  '%2',
  '%zz',
  '%00',
  '%25',
  'a',
  'api',
  'B',
  '~',
  '%7e',
  '%7E',
  '%41',
  '%c3',
  '\xc3\xa9',
  '{x}',
  '|',
  ':',
  '@',
  '%%34',
  '1',
  '2e',
];
const ODD = [
  '?',
  '#',
  '*',
  '\x00',
  '\r\n',
  '\t',
  ' ',
  '\x7f',
  '\u0100',
  '//',
  'http://',
  'HTTPS://',
  'ftp://',
  '@',
  ':',
];
const NAMES = [
  'Host',
  'host',
  'HOST',
  'Content-Length',
  'content-length',
  'Transfer-Encoding',
  'TRANSFER-ENCODING',
  'TE',
  'Connection',
  'connection',
  'Upgrade',
  'Expect',
  'Keep-Alive',
  'Proxy-Connection',
  'Via',
  'Cookie',
  'Accept',
  'X-Forwarded-For',
  'x_forwarded_for',
  'X-Forwarded-Host',
  'Forwarded',
  'X-Request-Id',
  '__proto__',
  'X',
  '',
];
const VALUES = [
  '',
  'a',
  'a.example',
  'a.example:80',
  'a.example:99999',
  'u@a',
  'a b',
  '[::1]',
  '[::1]:8',
  '[zz]',
  'a,b',
  '%41',
  '0',
  '5',
  '05',
  '+5',
  '-1',
  '5, 5',
  '1e3',
  '9'.repeat(30),
  'chunked',
  'Chunked',
  'gzip, chunked',
  'chunked\x0b',
  'keep-alive',
  'close, X',
  'upgrade',
  'Host, Content-Length',
  ',,,',
  'websocket',
  'h2c',
  '100-continue',
  'trailers',
  '10.0.0.1, 10.0.0.2',
  '::1, [fe80::1%eth0]:1',
  'for="[',
  '\r\nX: y',
  '\x00',
  '1.1 fairlead (c0ffee)',
];

function randomPath(): string {
  return `/${some(8, () => oneOf(PATH_PIECES))}`;
}

function randomRaw(): RawRequest {
  const target = below(4) === 0 ? some(4, () => oneOf([...ODD, ...PATH_PIECES, ...VALUES])) : randomPath();
  const fields = Array.from({ length: below(7) }, () => [oneOf(NAMES), oneOf(VALUES)]).flat();
  return {
    method: oneOf(['GET', 'GET', 'POST', 'OPTIONS', 'CONNECT', 'HEAD', 'x y', '']),
    target: target + (below(3) === 0 ? `?${oneOf(VALUES)}` : ''),
    headers: below(4) === 0 ? fields : ['Host', 'a.example', ...fields],
    protocol: oneOf(['HTTP/1.0', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/2.0']),
    authority: below(2) === 0 ? null : oneOf(VALUES),
    endOfStream: below(2) === 0,
  };
}

const rulesOf = (): PathRules => ({
  dotSegments: oneOf(['reject', 'resolve']),
  slashes: oneOf(['keep', 'fold', 'reject']),
  semicolons: oneOf(['keep', 'fold', 'reject']),
  encodedSlash: oneOf(['keep', 'reject']),
});
const NO_EDITS = buildHeaderEdits({ remove: [], set: [], add: [] });

test(`every head is understood or refused, never thrown at (seed ${SEED})`, () => {
  let made = 0;
  let accepted = 0;
  for (const round of rounds(ROUNDS)) {
    made++;
    const raw = randomRaw();
    const rules = rulesOf();
    const underscores = oneOf(['drop', 'reject', 'keep'] as const);
    const context = () => `seed ${SEED}, round ${round}: ${JSON.stringify({ raw, rules, underscores })}`;
    const head = parseRequestHead(raw, HEAD_LIMITS, rules, { underscores });
    if ('kind' in head) {
      assert(head.kind in FAILURE_RULES, context());
      continue;
    }
    accepted++;
    if (underscores !== 'keep')
      assert(!head.headers.some((name, at) => at % 2 === 0 && name.includes('_')), context());
    assert(head.target === '*' || head.target.startsWith('/'), context());
    assert.equal(head.path + head.query, head.target, context());
    assert.doesNotMatch(head.target, /[\x00-\x20\x7f#]/, context());
    assert.doesNotMatch(head.authority, /[\x00-\x20\x7f@/?#]/, context());
    assert.equal(head.matchHost, head.matchHost.toLowerCase(), context());
    assert.doesNotMatch(head.matchPath, /(?:^|\/)\.\.?(?:\/|$)/, context());
    assert(!(head.contentLength !== null && /transfer-encoding/i.test(raw.headers.join())), context());

    const list = buildUpstreamHeaders(head, forwardingFacts({ protocol: raw.protocol }), NO_EDITS);
    assert.equal(list.length % 2, 0, context());
    const names = list.filter((_, at) => at % 2 === 0).map(name => name.toLowerCase().replaceAll('_', '-'));
    for (const gone of ['host', 'connection', 'transfer-encoding', 'upgrade', 'keep-alive', 'expect']) {
      assert(!names.includes(gone), `${gone}: ${context()}`);
    }
    assert.equal(names.filter(name => name === 'x-forwarded-for').length, 1, context());
  }
  assert(
    accepted > made / 20 && accepted < made,
    `${accepted} of ${made} accepted: the pieces are badly mixed`,
  );
});

test(`a normalised path is normal, and has no segment that climbs (seed ${SEED})`, () => {
  let made = 0;
  let accepted = 0;
  for (const round of rounds(ROUNDS)) {
    made++;
    const raw = randomPath();
    const rules = rulesOf();
    const context = () => `seed ${SEED}, round ${round}: ${JSON.stringify({ raw, rules })}`;
    const once = normalisePath(raw, rules);
    if (typeof once !== 'string') continue;
    accepted++;
    assert.equal(normalisePath(once, rules), once, `not the same twice: ${context()}`);
    const asBackendsMaySeeIt = decodeURIComponentLoosely(once).replaceAll('\\', '/');
    assert.doesNotMatch(asBackendsMaySeeIt, /\/\.\.(?:[/;]|$)/, context());
  }
  assert(accepted > made / 5, `${accepted} of ${made} accepted`);
});

test(`no chain of addresses makes the walk throw or trust a stranger (seed ${SEED})`, () => {
  const trust = buildProxyTrust({
    trustedProxies: ['10.0.0.0/8', 'unix', 'fd00::/8'],
    trustedHops: 1,
    trustedHeaders: null,
  });
  const items = [
    '10.0.0.1',
    ' 10.9.9.9:80',
    '192.0.2.1',
    '[fd00::1]:5',
    'fd00::1%eth0',
    '',
    'unknown',
    '::ffff:10.0.0.1',
  ];
  for (const round of rounds(ROUNDS)) {
    const chain = Array.from({ length: below(40) }, () => oneOf(items)).join(',');
    const peer = oneOf(['10.0.0.9', '192.0.2.9', '', 'unix', 'fe80::1%eth0', 'not an address']);
    const found = resolveClientAddress(peer, trust, ['X-Forwarded-For', chain]);
    const context = `seed ${SEED}, round ${round}: ${peer} <- ${chain}`;
    assert.equal(found.peerTrusted, ['10.0.0.9', '', 'unix'].includes(peer), context);
    if (!found.peerTrusted) assert.equal(found.clientIp, peer, context);
    else assert.match(found.clientIp, /^(?:unix|10\.\d+\.\d+\.\d+|192\.0\.2\.1|fd00::1)$/, context);
  }
});

/** As a backend would that decodes once and is not troubled by a broken escape. */
function decodeURIComponentLoosely(path: string): string {
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
