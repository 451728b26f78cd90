/**
 * What a backend is told of the client and of the way here: `X-Forwarded-*`, `Forwarded` (RFC 7239), `Via` (RFC 9110
 * section 7.6.3) and the request id; whose word on it is believed; and whether a request has been here before.
 */
import type { ClientCertificate } from '../net/client_certificate.ts';
import { findHeader, type HeaderList, type NameTable, put } from './fields.ts';

/** What the backend is told about the client; `RequestContext` satisfies it. */
export interface ForwardingFacts {
  readonly requestId: string;
  readonly clientIp: string;
  readonly peerIp: string;
  readonly peerTrusted: boolean;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  /** Set when the client's connection is encrypted. */
  readonly tls: string | null;
  /** The host as the client sent it, with its port. */
  readonly host: string;
  readonly peer: {
    readonly localPort: number; // 0 on a Unix socket
    /** Null: the connection is in clear. `client`: its certificate, which was verified; null: it has shown none. */
    readonly tls: { readonly client: ClientCertificate | null } | null;
  };
  readonly services: { readonly instanceId: string };
}

/** The name by which this proxy goes in `Via` (RFC 9110 section 7.6.3: a pseudonym). */
export const PSEUDONYM = 'fairlead';

/** What backends are told of a client's certificate that was verified. */
const CLIENT_CERTIFICATE_FIELDS = {
  subject: 'X-Client-Cert-Subject',
  alternativeNames: 'X-Client-Cert-San',
  sha256: 'X-Client-Cert-Sha256',
} as const;

/**
 * Something about the client's certificate. Only this proxy may say it, and no proxy in front of it either: a load balancer
 * that does not know these fields passes on what a client has written. Underscores as below. `Client-Cert` and
 * `Client-Cert-Chain` are the same in the words of RFC 9440 section 2, for backends that believe them.
 */
export function isCertificateClaim(name: string): boolean {
  const first = name.charCodeAt(0) | 0x20;
  if (name.length < 11 || (first !== 0x78 && first !== 0x63)) return false; // x, c
  return /^(?:x[-_]client[-_]cert(?:[-_]|$)|client[-_]cert(?:[-_]chain)?$)/i.test(name);
}

/**
 * Something about the client that only a proxy in front of us may say: any `X-Forwarded-*`, and `X-Real-IP`. With
 * underscores nobody may: CGI makes both spellings the same variable, and proxies that replace one pass the other.
 */
export function isFalseClaim(name: string, peerTrusted: boolean): boolean {
  if (name.length < 9 || (name.charCodeAt(0) | 0x20) !== 0x78) return false; // x
  if (peerTrusted && !name.includes('_')) return false;
  const plain = name.toLowerCase().replaceAll('_', '-');
  return plain.startsWith('x-forwarded-') || plain === 'x-real-ip';
}

/**
 * An untrusted peer's words are gone by now. A trusted one's chain is extended by the peer itself, and what it says of
 * protocol, host and port stands. `Forwarded` is not begun behind a peer that only knows `X-Forwarded-For`: a backend
 * that prefers it would take that peer for the client.
 */
export function appendForwarding(
  list: string[],
  headers: HeaderList,
  facts: ForwardingFacts,
  dropped: NameTable<true> | null,
): void {
  const { peerTrusted, host } = facts;
  const scheme = facts.tls === null ? 'http' : 'https';
  const chain = peerTrusted ? findHeader(headers, 'x-forwarded-for') : null;
  const elements = peerTrusted ? findHeader(headers, 'forwarded') : null;
  const peer = isAddress(facts.peerIp) ? facts.peerIp : 'unknown';
  put(list, dropped, 'X-Forwarded-For', extended(chain, peer));
  if (!peerTrusted || findHeader(list, 'x-forwarded-proto') === null) {
    put(list, dropped, 'X-Forwarded-Proto', scheme);
  }
  if (host !== '' && (!peerTrusted || findHeader(list, 'x-forwarded-host') === null)) {
    put(list, dropped, 'X-Forwarded-Host', host);
  }
  const port = facts.peer.localPort;
  if (port !== 0 && (!peerTrusted || findHeader(list, 'x-forwarded-port') === null)) {
    put(list, dropped, 'X-Forwarded-Port', String(port));
  }
  if (elements !== null || chain === null) {
    put(list, dropped, 'Forwarded', extended(elements, forwardedElement(peer, host, scheme)));
  }
  // A field of its own: several say the same as one with commas (RFC 9110 section 5.3).
  const version = facts.protocol.slice('HTTP/'.length);
  put(list, dropped, 'Via', `${version} ${PSEUDONYM} (${facts.services.instanceId})`);
  put(list, dropped, 'X-Request-Id', facts.requestId);
  const certificate = facts.peer.tls?.client ?? null;
  if (certificate !== null) appendCertificate(list, certificate, dropped);
}

function appendCertificate(
  list: string[],
  { subject, alternativeNames, sha256 }: ClientCertificate,
  dropped: NameTable<true> | null,
): void {
  put(list, dropped, CLIENT_CERTIFICATE_FIELDS.subject, subject);
  if (alternativeNames !== null)
    put(list, dropped, CLIENT_CERTIFICATE_FIELDS.alternativeNames, alternativeNames);
  put(list, dropped, CLIENT_CERTIFICATE_FIELDS.sha256, sha256);
}

function extended(before: string | null, value: string): string {
  return before === null || before === '' ? value : `${before}, ${value}`;
}

function isAddress(ip: string): boolean {
  return ip.includes('.') || ip.includes(':');
}

/** RFC 7239 section 4; what is no token is quoted, an IPv6 address bracketed too (section 6). */
function forwardedElement(peer: string, host: string, scheme: string): string {
  const node = peer.includes(':') ? `"[${peer}]"` : peer;
  if (host === '') return `for=${node};proto=${scheme}`;
  return `for=${node};host=${/^[A-Za-z0-9.-]+$/.test(host) ? host : `"${host}"`};proto=${scheme}`;
}

/** More Fairleads than this in one chain are a circle whose other members take our mark out of `Via`. */
const HOPS_MAX = 8;

/**
 * The request comes back: this very process has forwarded it before (its mark is a comment in `Via`), or too many of
 * our kind have. A few Fairleads in a row are legal, each has a mark of its own.
 */
export function detectLoop(headers: HeaderList, instanceId: string): boolean {
  const via = findHeader(headers, 'via');
  if (via === null) return false;
  if (via.includes(`${PSEUDONYM} (${instanceId})`)) return true;
  return via.split(',').filter(hop => /^\s*\S+\s+fairlead(?:\s|$)/i.test(hop)).length > HOPS_MAX;
}
