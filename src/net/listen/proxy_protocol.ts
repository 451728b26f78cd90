/**
 * The PROXY protocol, versions 1 and 2: what a load balancer writes in front of the bytes of a client, to say who that
 * client is (haproxy.org, doc/proxy-protocol.txt, sections 2.1 and 2.2). `parseProxyHeader` is pure; `readProxyHeader` feeds it
 * from a socket and puts back what comes behind the header.
 *
 *   v1   PROXY TCP4 192.0.2.1 192.0.2.9 51000 443 CRLF         at most 107 bytes
 *   v2   12 bytes signature, version and command, family and transport, length; addresses; TLVs, which are skipped
 *
 * A header is one of three things: an address, `none` (LOCAL, UNKNOWN, UNSPEC: the balancer speaks for itself, such as in a
 * health check), or refused. There is no "no header": whoever must send one and does not is refused, because what it sends
 * in its place could be the header of a client (section 2: "MUST not try to guess").
 */
import { isIPv4, isIPv6, type Socket } from 'node:net';
import type { Clock } from '../../resilience/clock.ts';
import type { ProxyProtocolRefusal } from '../connection.ts';

/** What one side of the client's connection was. */
export interface ProxiedConnection {
  /** Address of the client; `unix` where it came to the balancer by a Unix socket. */
  readonly sourceIp: string;
  /** The port of the balancer that the client came to; 0 for a Unix socket. */
  readonly destinationPort: number;
}

type ProxyHeader =
  | { readonly kind: 'incomplete' }
  /** `bytes` is the length of the header; what follows is the client's. `client` null: the socket's own addresses hold. */
  | { readonly kind: 'complete'; readonly bytes: number; readonly client: ProxiedConnection | null }
  | { readonly kind: 'refused'; readonly cause: 'not_proxy' | 'malformed' | 'too_long' };

/** Section 2.1: the longest line there is, with CR LF. */
const V1_BYTES_MAX = 107;
/** Section 2.2 allows 65,551. Addresses take 216 at most; certificates and identities of clients in TLVs fit in the rest. */
const V2_BYTES_MAX = 4_096;
const V2_FIXED_BYTES = 16;
const V1_PREFIX = Buffer.from('PROXY ', 'latin1');
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' };
const NOT_PROXY: ProxyHeader = { kind: 'refused', cause: 'not_proxy' };
const MALFORMED: ProxyHeader = { kind: 'refused', cause: 'malformed' };
const TOO_LONG: ProxyHeader = { kind: 'refused', cause: 'too_long' };

/** `bytes`: everything that has come so far. Refuses as soon as no further byte could make it a header. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (bytes.length === 0) return INCOMPLETE;
  if (beginsLike(bytes, V2_SIGNATURE)) return bytes.length < V2_FIXED_BYTES ? INCOMPLETE : parseV2(bytes);
  if (beginsLike(bytes, V1_PREFIX)) return bytes.length < V1_PREFIX.length ? INCOMPLETE : parseV1(bytes);
  return NOT_PROXY;
}

/** As far as both go. */
function beginsLike(bytes: Buffer, expected: Buffer): boolean {
  const length = Math.min(bytes.length, expected.length);
  return bytes.subarray(0, length).equals(expected.subarray(0, length));
}

function parseV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_BYTES_MAX).indexOf('\r\n', 0, 'latin1');
  if (end < 0) return bytes.length < V1_BYTES_MAX ? INCOMPLETE : TOO_LONG;
  const line = bytes.toString('latin1', V1_PREFIX.length, end);
  const length = end + 2;
  // Section 2.1: what follows UNKNOWN must be ignored.
  if (line === 'UNKNOWN' || line.startsWith('UNKNOWN ')) return complete(length, null);
  const [family, source = '', destination = '', sourcePort, destinationPort, ...more] = line.split(' ');
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : null;
  const port = readPort(destinationPort);
  if (isAddress === null || !isAddress(source) || !isAddress(destination)) return MALFORMED;
  if (port === null || readPort(sourcePort) === null || more.length > 0) return MALFORMED;
  return complete(length, { sourceIp: source, destinationPort: port });
}

/** A zone means nothing on another machine. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

/** Section 2.1: decimal, without leading zeros. */
function readPort(text: string | undefined): number | null {
  return text !== undefined && /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535
    ? Number(text)
    : null;
}

function parseV2(bytes: Buffer): ProxyHeader {
  const versionAndCommand = bytes.readUInt8(12);
  const command = versionAndCommand & 0x0f;
  if (versionAndCommand >> 4 !== 2 || command > 1) return MALFORMED;
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  if (length > V2_BYTES_MAX) return TOO_LONG;
  const familyAndTransport = bytes.readUInt8(13);
  const family = V2_FAMILIES[familyAndTransport];
  // LOCAL may carry any family, which is skipped; with PROXY an unknown one, or UDP, cannot be what this connection is.
  if (command === 1 && family === undefined) return MALFORMED;
  if (command === 1 && length < V2_FIXED_BYTES + (family?.bytes ?? 0)) return MALFORMED;
  if (bytes.length < length) return INCOMPLETE;
  return complete(length, command === 1 ? (family?.read(bytes.subarray(V2_FIXED_BYTES)) ?? null) : null);
}

interface V2Family {
  /** Of the addresses; TLVs may follow. */
  readonly bytes: number;
  readonly read: (addresses: Buffer) => ProxiedConnection | null;
}

/** By the byte of family and transport: UNSPEC, and streams over IPv4, IPv6 and Unix sockets. */
const V2_FAMILIES: Readonly<Record<number, V2Family>> = {
  0: { bytes: 0, read: () => null },
  17: {
    bytes: 12,
    read: from => ({ sourceIp: from.subarray(0, 4).join('.'), destinationPort: from.readUInt16BE(10) }),
  },
  33: {
    bytes: 36,
    read: from => ({ sourceIp: ipv6Text(from), destinationPort: from.readUInt16BE(34) }),
  },
  49: { bytes: 216, read: () => ({ sourceIp: 'unix', destinationPort: 0 }) },
};

/** RFC 5952, as sockets show addresses; IPv4 that is mapped into IPv6 (RFC 4291 section 2.5.5.2) with its dots. */
function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at));
  if (groups.slice(0, 5).every(group => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(12, 16).join('.')}`;
  }
  return new URL(`http://[${groups.map(group => group.toString(16)).join(':')}]`).hostname.slice(1, -1);
}

function complete(bytes: number, client: ProxiedConnection | null): ProxyHeader {
  return { kind: 'complete', bytes, client };
}

interface HeaderReader {
  readonly onHeader: (client: ProxiedConnection | null) => void;
  /** Nothing was put back. Null: it left without a word, as a check does that only connects; nobody needs to hear of that. */
  readonly onRefused: (cause: ProxyProtocolRefusal | null) => void;
}

/**
 * Reads the header, which must be complete in `limitMs`, and puts back what came behind it. Calls back once, one or the other,
 * whatever happens to the socket; closing it is for the caller.
 */
export function readProxyHeader(
  socket: Socket,
  limitMs: number,
  clock: Clock,
  { onHeader, onRefused }: HeaderReader,
): void {
  let head: Buffer = Buffer.alloc(0);
  const stop = (): void => {
    clock.cancelTimer(timer);
    socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd);
  };
  const refuse = (cause: ProxyProtocolRefusal | null): void => {
    stop();
    onRefused(cause);
  };
  const timer = clock.setTimer(refuse, limitMs, 'timeout');
  const onEnd = (): void => refuse(head.length === 0 ? null : 'left');
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const header = parseProxyHeader(head);
    if (header.kind === 'incomplete') return;
    if (header.kind === 'refused') {
      refuse(header.cause);
      return;
    }
    stop();
    if (head.length > header.bytes) socket.unshift(head.subarray(header.bytes));
    onHeader(header.client);
  };
  socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd);
}
