/**
 * What reading a head and making the head for the backend cost, in nanoseconds of one core.
 *
 *   node loadtest/micro/request_head.ts [rounds]
 *
 * Heads are made of fresh strings, as Node's parsers make them: a name that was looked up before is found faster.
 * The steps take turns, round by round, so that a change of the machine's speed meets all; figures are medians.
 * Target: parse and build together below 2,000 ns for a browser's request with 14 fields.
 */
import { buildProxyTrust, resolveClientAddress } from '../../src/security/client_address.ts';
import type { ForwardingFacts } from '../../src/security/forwarding.ts';
import {
  buildHeaderEdits,
  buildUpstreamHeaders,
  detectLoop,
  filterResponseHeaders,
} from '../../src/security/headers.ts';
import { parseRequestHead, type RawRequest, type RequestHead } from '../../src/security/request_head.ts';

const HEADS = 4_096; // a power of two: the next one is a mask away
const CALLS_PER_ROUND = 100_000;
const ROUNDS = Number(process.argv[2] ?? 25);
const LIMITS = { headBytesMax: 32 * 1024, headerCountMax: 100, uriBytesMax: 8 * 1024 };
const RULES = { dotSegments: 'reject', encodedSlash: 'keep', slashes: 'keep', semicolons: 'keep' } as const;

const BROWSER = [
  ['Host', 'www.example.com'],
  ['Connection', 'keep-alive'],
  ['sec-ch-ua', '"Chromium";v="149", "Not)A;Brand";v="24"'],
  ['sec-ch-ua-mobile', '?0'],
  ['sec-ch-ua-platform', '"Linux"'],
  ['Upgrade-Insecure-Requests', '1'],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/149.0.0.0 Safari/537.36'],
  ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
  ['Sec-Fetch-Site', 'same-origin'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Referer', 'https://www.example.com/orders'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Accept-Language', 'en-GB,en;q=0.9'],
  ['Cookie', 'session=0123456789abcdef0123456789abcdef; theme=dark'],
];
const ANSWER = [
  ['Server', 'nginx/1.22.1'],
  ['Date', 'Fri, 20 Nov 2026 10:00:00 GMT'],
  ['Content-Type', 'application/json'],
  ['Content-Length', '1024'],
  ['Connection', 'keep-alive'],
  ['Keep-Alive', 'timeout=5'],
  ['ETag', '"abc"'],
  ['Cache-Control', 'no-cache'],
];
/** What a load balancer in front puts behind a head. */
const FROM_BALANCER = [
  ['X-Forwarded-For', '203.0.113.7'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Port', '443'],
];

const fresh = (text: string) => Buffer.from(text, 'latin1').toString('latin1');
const flat = (fields: string[][]) => fields.flat().map(fresh);

function rawRequest(at: number, fields: string[][]): RawRequest {
  return {
    method: 'GET',
    target: fresh(`/shop/orders/${at}/items?page=2&sort=date`),
    headers: flat(fields),
    protocol: 'HTTP/1.1',
    authority: null,
    endOfStream: false,
  };
}

function factsFor(peerTrusted: boolean): ForwardingFacts {
  return {
    requestId: '01970000-0000-7000-8000-000000000000',
    clientIp: '203.0.113.7',
    peerIp: peerTrusted ? '10.1.2.3' : '203.0.113.7',
    claim: resolveClientAddress(peerTrusted ? '10.1.2.3' : '203.0.113.7', trust, flat(FROM_BALANCER)).claim,
    protocol: 'HTTP/1.1',
    tls: 'TLSv1.3',
    host: 'www.example.com',
    peer: { localPort: 8443, tls: null },
    services: { instanceId: '4f1d2c3b' },
  };
}

interface Step {
  readonly name: string;
  readonly run: (at: number) => unknown;
  readonly nanoseconds: number[];
}

const step = (name: string, run: (at: number) => unknown): Step => ({ name, run, nanoseconds: [] });
const raws = Array.from({ length: HEADS }, (_, at) => rawRequest(at, BROWSER));
const balanced = Array.from({ length: HEADS }, (_, at) => rawRequest(at, [...BROWSER, ...FROM_BALANCER]));
const answers = Array.from({ length: HEADS }, () => flat(ANSWER));
const trust = buildProxyTrust({
  trustedProxies: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  trustedHops: 1,
  trustedHeaders: null,
});
const direct = factsFor(false);
const behindBalancer = factsFor(true);
const NO_EDITS = buildHeaderEdits({ remove: [], set: [], add: [] });
const EDITS = buildHeaderEdits({ remove: ['cookie'], set: [['X-Team', 'shop']], add: [] });

function parsed(raw: RawRequest | undefined): RequestHead {
  const head = parseRequestHead(raw as RawRequest, LIMITS, RULES, { underscores: 'drop' });
  if ('kind' in head) throw new Error(head.kind);
  return head;
}

const steps = [
  step('parseRequestHead', at => parsed(raws[at])),
  step('parse + build', at => buildUpstreamHeaders(parsed(raws[at]), direct, NO_EDITS)),
  step('parse + build, with edits', at => buildUpstreamHeaders(parsed(raws[at]), direct, EDITS)),
  step('parse + build, trusted peer', at => {
    return buildUpstreamHeaders(parsed(balanced[at]), behindBalancer, NO_EDITS);
  }),
  step('resolveClientAddress, trusted', at => {
    return resolveClientAddress('10.1.2.3', trust, (balanced[at] as RawRequest).headers);
  }),
  step('detectLoop', at => detectLoop((raws[at] as RawRequest).headers, '4f1d2c3b')),
  step('filterResponseHeaders', at => filterResponseHeaders(200, answers[at] as string[], direct, NO_EDITS)),
];

let kept: unknown; // so that nothing is optimised away
for (let round = 0; round < ROUNDS; round++) {
  for (const { run, nanoseconds } of steps) {
    const startedAt = process.hrtime.bigint();
    for (let call = 0; call < CALLS_PER_ROUND; call++) kept = run(call & (HEADS - 1));
    nanoseconds.push(Number(process.hrtime.bigint() - startedAt) / CALLS_PER_ROUND);
  }
}
if (kept === undefined) throw new Error('nothing ran');
for (const { name, nanoseconds } of steps) {
  const median = nanoseconds.sort((a, b) => a - b)[nanoseconds.length >> 1] ?? 0;
  console.log(`${name.padEnd(32)} ${median.toFixed(0).padStart(6)} ns`);
}
