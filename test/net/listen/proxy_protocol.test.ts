// haproxy.org, doc/proxy-protocol.txt, sections 2.1 and 2.2. FUZZ_SEED repeats a story, FUZZ_ROUNDS makes it longer.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PROXY_PROTOCOL_REFUSALS } from '../../../src/net/connection.ts';
import {
  type ProxiedConnection,
  parseProxyHeader,
  readProxyHeader,
} from '../../../src/net/listen/proxy_protocol.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { ipv4Addresses, ipv6Addresses, proxyV1, proxyV2 } from '../../support/proxy_headers.ts';
import { seededRandom } from '../../support/seeded_random.ts';

const parse = (bytes: string | Buffer) =>
  parseProxyHeader(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
const REST = Buffer.from('GET / HTTP/1.1\r\n\r\n');

/** The client that a whole header names; every shorter piece of it must ask for more. */
function clientOf(header: Buffer): ProxiedConnection | null {
  for (let length = 0; length < header.length; length++)
    assert.deepEqual(parse(header.subarray(0, length)), { kind: 'incomplete' }, `${length} bytes`);
  const found = parse(Buffer.concat([header, REST]));
  assert(found.kind === 'complete', JSON.stringify(found));
  assert.equal(found.bytes, header.length, 'what comes behind the header is not part of it');
  return found.client;
}

test('version 1 names the client and the port that it came to', () => {
  assert.deepEqual(clientOf(proxyV1('203.0.113.7')), { sourceIp: '203.0.113.7', destinationPort: 443 });
  assert.deepEqual(clientOf(proxyV1('2001:db8::7', 0, 65_535)), {
    sourceIp: '2001:db8::7',
    destinationPort: 65_535,
  });
  const longest = `PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`;
  assert.equal(clientOf(Buffer.from(longest))?.destinationPort, 65_535);
});

test('version 1 may say that it does not know, with or without what is then ignored', () => {
  for (const line of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n', 'PROXY UNKNOWN \x01\r\n'])
    assert.equal(clientOf(Buffer.from(line)), null, line);
  const longest = `PROXY UNKNOWN ${'x'.repeat(107 - 'PROXY UNKNOWN \r\n'.length)}\r\n`;
  assert.equal(clientOf(Buffer.from(longest)), null);
});

test('version 2 names the client over IPv4, IPv6 and Unix sockets', () => {
  assert.deepEqual(clientOf(proxyV2()), { sourceIp: '203.0.113.7', destinationPort: 443 });
  const ipv6 = (hex: string) => clientOf(proxyV2({ family: 0x21, addresses: ipv6Addresses(hex, 8443) }));
  assert.deepEqual(ipv6('20010db8000000000000000000000007'), {
    sourceIp: '2001:db8::7',
    destinationPort: 8_443,
  });
  assert.equal(ipv6('00000000000000000000ffffcb007107')?.sourceIp, '::ffff:203.0.113.7');
  assert.equal(ipv6('00000000000000000000000000000000')?.sourceIp, '::');
  assert.deepEqual(clientOf(proxyV2({ family: 0x31, addresses: Buffer.alloc(216, 0x61) })), {
    sourceIp: 'unix',
    destinationPort: 0,
  });
});

test('version 2 says when the balancer speaks for itself', () => {
  assert.equal(clientOf(proxyV2({ command: 0, family: 0, addresses: Buffer.alloc(0) })), null, 'LOCAL');
  assert.equal(clientOf(proxyV2({ command: 0 })), null, 'LOCAL with addresses, which mean nothing');
  assert.equal(clientOf(proxyV2({ command: 0, family: 0xff })), null, 'LOCAL of whatever family');
  assert.equal(clientOf(proxyV2({ family: 0, addresses: Buffer.alloc(9) })), null, 'PROXY UNSPEC');
});

test('what stands behind the addresses of version 2 is skipped, up to 4 KiB of header', () => {
  const tlvs = Buffer.alloc(4_096 - 16 - 12, 0xea);
  assert.equal(clientOf(proxyV2({ tlvs }))?.sourceIp, '203.0.113.7');
  const more = proxyV2({ tlvs: Buffer.concat([tlvs, Buffer.from([0])]) });
  assert.deepEqual(parse(more.subarray(0, 16)), { kind: 'refused', cause: 'too_long' }, 'before it is read');
});

test('whatever else comes is refused as soon as it is seen', () => {
  for (const bytes of [
    'GET / HTTP/1.1\r\n',
    'P0',
    'PROXX',
    'proxy ',
    '\r\n\r\n\0\r\nQUIT\r',
    '\x16\x03\x01',
    ' PROXY ',
    '\n',
  ])
    assert.deepEqual(parse(bytes), { kind: 'refused', cause: 'not_proxy' }, JSON.stringify(bytes));
});

test('version 1 that breaks a rule is refused', () => {
  for (const line of [
    'PROXY TCP4 203.0.113.7 192.0.2.9 1\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.9 1 2 3\r\n',
    'PROXY TCP4 203.0.113.7  192.0.2.9 1 2\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.9 1 2 \r\n',
    'PROXY TCP4 2001:db8::7 2001:db8::9 1 2\r\n',
    'PROXY TCP6 203.0.113.7 192.0.2.9 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n',
    'PROXY TCP4 203.0.113.07 192.0.2.9 1 2\r\n',
    'PROXY TCP4 203.0.113.7 here 1 2\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.9 65536 2\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.9 1 -2\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.9 01 2\r\n',
    'PROXY UDP4 203.0.113.7 192.0.2.9 1 2\r\n',
    'PROXY tcp4 203.0.113.7 192.0.2.9 1 2\r\n',
    'PROXY UNKNOWNS\r\n',
    'PROXY \r\n',
  ])
    assert.deepEqual(parse(line), { kind: 'refused', cause: 'malformed' }, line);
  assert.deepEqual(parse(`PROXY UNKNOWN ${'x'.repeat(106 - 14)}`), { kind: 'incomplete' });
  assert.deepEqual(parse(`PROXY UNKNOWN ${'x'.repeat(107 - 14)}`), { kind: 'refused', cause: 'too_long' });
  const late = `PROXY UNKNOWN ${'x'.repeat(108 - 16)}\r\n`;
  assert.deepEqual(parse(late), { kind: 'refused', cause: 'too_long' }, '108 bytes');
});

test('version 2 that breaks a rule is refused', () => {
  const wrong: Readonly<Record<string, Buffer>> = {
    'version 1': proxyV2({ version: 1 }),
    'version 3': proxyV2({ version: 3 }),
    'an unknown command': proxyV2({ command: 2 }),
    UDP: proxyV2({ family: 0x12 }),
    'an unknown family': proxyV2({ family: 0x41 }),
    'TCP without a family': proxyV2({ family: 0x01 }),
    'IPv4 that is too short': proxyV2({ addresses: Buffer.alloc(11) }),
    'IPv6 that is too short': proxyV2({ family: 0x21, addresses: Buffer.alloc(35) }),
    'a Unix socket that is too short': proxyV2({ family: 0x31, addresses: Buffer.alloc(215) }),
  };
  for (const [what, header] of Object.entries(wrong))
    assert.deepEqual(parse(header), { kind: 'refused', cause: 'malformed' }, what);
});

/** A socket whose other end is the test. */
class Near extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

const LIMIT_MS = 1_000;

function reading() {
  const clock = new FakeClock();
  const socket = new Near();
  const heard: unknown[] = [];
  readProxyHeader(socket as unknown as Socket, LIMIT_MS, clock, {
    onHeader: client => heard.push(client?.sourceIp ?? 'none'),
    onRefused: cause => heard.push(`refused ${cause}`),
  });
  return { clock, socket, heard };
}

function everythingFrom(socket: Duplex): string {
  let text = '';
  for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) text += chunk;
  return text;
}

test('what comes behind the header, in the same packet or in the next, is for whoever takes over', async () => {
  for (const header of [proxyV1('203.0.113.7'), proxyV2()])
    for (const size of [1, 7, header.length - 1, header.length, header.length + 1, 1_000]) {
      const { clock, socket, heard } = reading();
      const all = Buffer.concat([header, REST]);
      for (let at = 0; at < all.length; at += size) {
        socket.push(all.subarray(at, at + size));
        await turn();
      }
      assert.deepEqual(heard, ['203.0.113.7'], `pieces of ${size}`);
      assert.equal(everythingFrom(socket), REST.toString());
      assert.deepEqual([clock.pendingTimers, socket.listenerCount('readable')], [0, 0]);
    }
});

test('a header that is not complete in time is refused then, not before', async () => {
  const { clock, socket, heard } = reading();
  socket.push(Buffer.from('PROXY TCP4'));
  await turn();
  clock.advance(LIMIT_MS - 1);
  assert.deepEqual(heard, []);
  clock.advance(1);
  assert.deepEqual(heard, ['refused timeout']);
  socket.destroy();
  await turn();
  assert.equal(heard.length, 1);
});

test('a peer that leaves is refused, and one that has never spoken is not worth a word', async () => {
  for (const [begun, expected] of [
    ['PROXY TCP4', 'refused left'],
    ['', 'refused null'],
  ] as const)
    for (const leave of [(socket: Near) => void socket.push(null), (socket: Near) => void socket.destroy()]) {
      const { clock, socket, heard } = reading();
      if (begun !== '') socket.push(Buffer.from(begun));
      await turn();
      leave(socket);
      await turn();
      await turn();
      assert.deepEqual(heard, [expected]);
      assert.equal(clock.pendingTimers, 0);
    }
});

const SEED = Number(process.env['FUZZ_SEED'] ?? 20261129);
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 20_000);

test(`whatever comes is a header, no header, or not yet one, however it is cut (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  const below = (limit: number) => Math.floor(random.unit() * limit);
  const oneOf = <T>(choices: readonly T[]): T => choices[below(choices.length)] as T;
  const pieces = [
    'PROXY ',
    'TCP4',
    'TCP6',
    'UNKNOWN',
    ' ',
    '\r\n',
    '\r',
    '1.2.3.4',
    '::1',
    '443',
    '0',
    '\0',
    'QUIT',
    'x',
  ];
  const make = (): Buffer => {
    const whole = oneOf([
      () => proxyV1(oneOf(['203.0.113.7', '2001:db8::7'])),
      () => proxyV2({ command: below(3), family: below(0x42), tlvs: Buffer.alloc(below(40), below(256)) }),
      () => proxyV2({ length: below(0x1200), addresses: ipv4Addresses('203.0.113.7', 1) }),
      () => Buffer.from(Array.from({ length: below(12) }, () => oneOf(pieces)).join(''), 'latin1'),
      () => Buffer.from(`PROXY ${Array.from({ length: below(40) }, () => oneOf(pieces)).join('')}`, 'latin1'),
    ])();
    for (let flips = below(3); flips > 0 && whole.length > 0; flips--)
      whole[below(whole.length)] = below(256);
    return Buffer.concat([whole, Buffer.alloc(below(8), below(256))]);
  };
  const kinds = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = make();
    const context = () => `seed ${SEED}, round ${round}: ${bytes.toString('hex')}`;
    const found = parse(bytes);
    kinds.set(found.kind, (kinds.get(found.kind) ?? 0) + 1);
    if (found.kind === 'refused') assert(PROXY_PROTOCOL_REFUSALS.includes(found.cause), context());
    if (found.kind === 'complete') {
      assert(found.bytes <= bytes.length && found.bytes <= 4_096, context());
      if (found.client !== null) {
        assert.match(found.client.sourceIp, /^(?:unix|[\d.]+|[0-9a-f:.]+)$/i, context());
        assert(found.client.destinationPort >= 0 && found.client.destinationPort < 65_536, context());
      }
    }
    // The verdict does not depend on how the bytes are cut: once it is there, more bytes change nothing.
    const cut = below(bytes.length + 1);
    const early = parse(bytes.subarray(0, cut));
    if (early.kind !== 'incomplete') assert.deepEqual(early, found, `cut at ${cut}: ${context()}`);
  }
  for (const kind of ['complete', 'refused', 'incomplete'])
    assert((kinds.get(kind) ?? 0) > ROUNDS / 50, `${kind}: ${kinds.get(kind)}: the pieces are badly mixed`);
});
