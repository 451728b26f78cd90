/**
 * Who the client is: the peer of the connection, or, behind trusted proxies, the first address from the right that is not a
 * trusted proxy. By default nobody is trusted.
 *
 * Two families of fields name clients, and a proxy that writes one of them passes on what its client wrote in the other. So
 * only one family is used at a time:
 *
 *   X-Forwarded-For came     it is used, with the other X-Forwarded-*; `Forwarded` is passed on only if it says the same
 *   only Forwarded came      it is used; X-Forwarded-* sent by the peer is replaced by its values
 *
 * `X-Forwarded-For` wins because nearly every load balancer writes it, and hardly any writes `Forwarded`.
 *
 * Addresses are strings: IPv4, IPv6, or `unix` for a peer on a Unix socket. A check costs about 0.2 us (BlockList of Node
 * 26), so nothing is cached between requests.
 */
import { BlockList, isIP } from 'node:net';
import { findHeader, type HeaderList, type NameTable, nameSet } from './fields.ts';
import { type ForwardedElement, parseForwarded } from './forwarded.ts';
import { addressOfNode } from './ip_address.ts';

export interface NetworkSet {
  readonly empty: boolean;
  contains(ip: string): boolean;
}

/** The address of peers on Unix sockets; in a list of networks it means all of them. */
const UNIX_PEER = 'unix';
/** A longer chain is not followed to its end: nobody has this many honest proxies. */
const HOPS_MAX = 32;

/** Why a text is not a network in CIDR form (or a single address, or `unix`); null if it is one. */
export function cidrProblem(text: string): string | null {
  if (text === UNIX_PEER) return null;
  const [ip = '', bits, ...rest] = text.split('/');
  const family = ip.includes('%') ? 0 : isIP(ip);
  if (family === 0 || rest.length > 0) {
    return 'expected an address or a network such as 10.0.0.0/8 or fd00::/8, or unix';
  }
  if (bits === undefined) return null;
  const bitsMax = family === 4 ? 32 : 128;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > bitsMax) {
    return `the prefix length must be between 0 and ${bitsMax}`;
  }
  return null;
}

/** Takes texts that `cidrProblem` accepts. An IPv4 network also contains its IPv4-mapped IPv6 addresses. */
export function buildNetworkSet(cidrs: readonly string[]): NetworkSet {
  const list = new BlockList();
  const unix = cidrs.includes(UNIX_PEER);
  for (const cidr of cidrs) {
    if (cidr === UNIX_PEER) continue;
    const [ip = '', bits] = cidr.split('/');
    if (isIP(ip) === 6) list.addSubnet(ip, bits === undefined ? 128 : Number(bits), 'ipv6');
    else list.addSubnet(ip, bits === undefined ? 32 : Number(bits), 'ipv4');
  }
  const empty = cidrs.length === 0;
  return {
    empty,
    contains(ip) {
      if (empty) return false;
      const family = isIP(ip);
      return family === 0 ? unix && ip === UNIX_PEER : list.check(ip, family === 6 ? 'ipv6' : 'ipv4');
    },
  };
}

/** Whom a listener believes, and what. */
export interface ProxyTrust {
  readonly networks: NetworkSet;
  /** Addresses that the peer writes at the end of `X-Forwarded-For`; the leftmost of them is its client. */
  readonly hops: number;
  /** Forwarding fields that the peer writes; null: all. */
  readonly fields: NameTable<true> | null;
}

interface ProxyTrustSettings {
  readonly trustedProxies: readonly string[];
  readonly trustedHops: number;
  readonly trustedHeaders: readonly string[] | null;
}

export function buildProxyTrust(settings: ProxyTrustSettings): ProxyTrust {
  const { trustedProxies, trustedHops, trustedHeaders } = settings;
  return {
    networks: buildNetworkSet(trustedProxies),
    hops: trustedHops,
    fields: trustedHeaders === null ? null : nameSet(trustedHeaders),
  };
}

/** What the peer says of the way of a request before it, as far as it is believed. */
export interface PeerClaim {
  /** The fields of the `X-Forwarded-*` family that stand. */
  readonly fields: 'all' | 'none' | NameTable<true>;
  /** What is extended in `X-Forwarded-For`; null: it is begun. */
  readonly chain: string | null;
  /** `Forwarded` goes on, extended. */
  readonly forwarded: boolean;
  /** By `Forwarded`, of the connection of the client; null: it does not say, or is not believed. */
  readonly proto: 'http' | 'https' | null;
  readonly host: string | null;
}

export interface ClientAddress {
  readonly clientIp: string;
  readonly peerTrusted: boolean;
  /** Who says that it is this client. */
  readonly source: ClientSource;
  readonly claim: PeerClaim;
  /** `Forwarded` should say who the client is, and cannot be read: a request of nobody. */
  readonly malformed: boolean;
}
export type ClientSource = 'connection' | 'X-Forwarded-For' | 'Forwarded';

export const NO_CLAIM: PeerClaim = { fields: 'none', chain: null, forwarded: false, proto: null, host: null };

export function resolveClientAddress(peerIp: string, trust: ProxyTrust, headers: HeaderList): ClientAddress {
  const peer = peerIp === '' ? UNIX_PEER : peerIp;
  if (trust.networks.empty || !trust.networks.contains(peer)) {
    return { clientIp: peer, peerTrusted: false, source: 'connection', claim: NO_CLAIM, malformed: false };
  }
  const chain = believed('x-forwarded-for', trust, headers);
  const forwarded = believed('forwarded', trust, headers);
  if (chain === null && forwarded !== null) return clientOfForwarded(peer, trust, forwarded);
  const clientIp = chain === null ? peer : clientOfChain(peer, trust, chain);
  return {
    clientIp,
    peerTrusted: true,
    source: chain === null ? 'connection' : 'X-Forwarded-For',
    claim: {
      fields: trust.fields ?? 'all',
      chain,
      forwarded: forwarded !== null && saysTheSame(forwarded, clientIp, peer, trust, headers),
      proto: null,
      host: null,
    },
    malformed: false,
  };
}

/** The value of a field that the peer itself writes; an empty one says nothing. */
function believed(name: string, trust: ProxyTrust, headers: HeaderList): string | null {
  return writes(trust, name) ? findHeader(headers, name) || null : null;
}

/** Whether a trusted peer writes the field, so that it is not its client's. `name` is lower case. */
export function writes({ fields }: ProxyTrust, name: string): boolean {
  return fields === null || fields.has(name);
}

function clientOfChain(peer: string, { networks, hops }: ProxyTrust, chain: string): string {
  let clientIp = peer;
  let end = chain.length;
  let ofPeer = hops - 1;
  for (let walked = 0; walked < HOPS_MAX && end > 0; walked++) {
    const comma = chain.lastIndexOf(',', end - 1);
    const item = chain.slice(comma + 1, end).trim();
    end = comma;
    if (item === '') continue; // RFC 9110 section 5.6.1: an empty element has no meaning
    const ip = addressOfNode(item);
    if (ip === null) break; // garbage: what is left of it was not written by a trusted proxy
    if (ofPeer > 0) {
      ofPeer--; // its own address, which it appends after that of its client
      continue;
    }
    clientIp = ip;
    if (!networks.contains(ip)) break;
  }
  return clientIp;
}

/** The element that names the client, and the client: what is left of it was not written by a proxy that we trust. */
function walkElements(
  peer: string,
  networks: NetworkSet,
  elements: readonly ForwardedElement[],
): { readonly ip: string; readonly element: ForwardedElement | null } {
  let ip = peer;
  let element: ForwardedElement | null = null;
  for (const candidate of elements.slice(-HOPS_MAX).reverse()) {
    element = candidate;
    if (candidate.ip === null) break; // its writer, whom we trust, does not say who its client is
    ip = candidate.ip;
    if (!networks.contains(ip)) break;
  }
  return { ip, element };
}

function clientOfForwarded(peer: string, { networks }: ProxyTrust, forwarded: string): ClientAddress {
  const elements = parseForwarded(forwarded);
  const base = { peerTrusted: true, source: 'Forwarded' } as const;
  if (elements === null) return { ...base, clientIp: peer, claim: NO_CLAIM, malformed: true };
  const { ip, element } = walkElements(peer, networks, elements);
  const chain = elements.map(one => one.ip ?? 'unknown').join(', ');
  return {
    ...base,
    clientIp: ip,
    claim: {
      fields: 'none',
      chain: chain === '' ? null : chain,
      forwarded: elements.length > 0,
      proto: element?.proto ?? null,
      host: element?.host ?? null,
    },
    malformed: false,
  };
}

/**
 * Whether `Forwarded` repeats what the other family says: a peer that writes both does. What it says beyond that was written by
 * the client, as far as we know.
 */
function saysTheSame(
  forwarded: string,
  clientIp: string,
  peer: string,
  trust: ProxyTrust,
  headers: HeaderList,
): boolean {
  const elements = parseForwarded(forwarded);
  if (elements === null || elements.length === 0) return false;
  const { ip, element } = walkElements(peer, trust.networks, elements);
  const proto = believed('x-forwarded-proto', trust, headers);
  const host = believed('x-forwarded-host', trust, headers) ?? findHeader(headers, 'host');
  return (
    ip === clientIp &&
    (element?.proto === null || element?.proto === proto?.toLowerCase()) &&
    (element?.host === null || element?.host.toLowerCase() === host?.toLowerCase())
  );
}
