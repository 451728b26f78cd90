/**
 * Fields that tell a backend about the client and the path of the request: `X-Forwarded-*`, `Forwarded` (RFC 7239),
 * `Via` (RFC 9110 section 7.6.3) and the request id; which of the client's own fields are trusted; and loop
 * detection.
 */
import type { ClientCertificate } from '../net/client_certificate.ts';
import type { PeerClaim } from './client_address.ts';
import { findHeader, type HeaderList, type NameTable, put } from './fields.ts';
import { formatForwarded } from './forwarded.ts';

/** The facts about the client; `RequestContext` satisfies it. */
export interface ForwardingFacts {
  readonly requestId: string;
  readonly clientIp: string;
  readonly peerIp: string;
  readonly claim: PeerClaim;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  /** Set when the client's connection is encrypted. */
  readonly tls: string | null;
  /** The host as the client sent it, with its port. */
  readonly host: string;
  readonly peer: {
    readonly localPort: number; // 0 on a Unix socket
    /** Null: the connection is not encrypted. `client`: its verified certificate; null: it has shown none. */
    readonly tls: { readonly client: ClientCertificate | null } | null;
  };
  readonly services: { readonly instanceId: string };
}

/** The pseudonym of this proxy in `Via` (RFC 9110 section 7.6.3). */
export const PSEUDONYM = 'fairlead';

/** The fields for backends about the verified certificate of a client. */
const CLIENT_CERTIFICATE_FIELDS = {
  subject: 'X-Client-Cert-Subject',
  alternativeNames: 'X-Client-Cert-San',
  sha256: 'X-Client-Cert-Sha256',
} as const;

/**
 * Whether the field is about the client's certificate. Only this proxy may send such fields, not even a trusted proxy in front
 * of it: a load balancer that does not know them passes on what a client has written. Underscores as below. `Client-Cert`
 * and `Client-Cert-Chain` are the fields of RFC 9440 section 2, which some backends trust.
 */
export function isCertificateClaim(name: string): boolean {
  const first = name.charCodeAt(0) | 0x20;
  if (name.length < 11 || (first !== 0x78 && first !== 0x63)) return false; // x, c
  return /^(?:x[-_]client[-_]cert(?:[-_]|$)|client[-_]cert(?:[-_]chain)?$)/i.test(name);
}

/**
 * Whether only a trusted proxy may send the field, and this peer may not: any `X-Forwarded-*`, and `X-Real-IP`. With
 * underscores nobody may: CGI maps both spellings to the same variable, and proxies that replace one pass on the other.
 */
export function isFalseClaim(name: string, { fields }: PeerClaim): boolean {
  if (name.length < 9 || (name.charCodeAt(0) | 0x20) !== 0x78) return false; // x
  const hasUnderscore = name.includes('_');
  if (fields === 'all' && !hasUnderscore) return false;
  const plain = name.toLowerCase().replaceAll('_', '-');
  if (!plain.startsWith('x-forwarded-') && !ALIASES.has(plain)) return false;
  return hasUnderscore || fields === 'none' || fields === 'all' || !fields.has(plain);
}

/** `X-Real-IP`; and what is set anew, which only an underscore brings this far. */
const ALIASES = new Set(['x-real-ip', 'x-request-id', 'x-request-deadline-ms', 'x-fairlead-explain']);

/**
 *
 * The fields of an untrusted peer are removed before. The chain of a trusted peer is extended with the peer itself, and its
 * protocol, host and port are kept. `Forwarded` is not started behind a peer that only sends `X-Forwarded-For`: a backend
 * that prefers it would take that peer for the client.
 */
export function appendForwarding(
  list: string[],
  headers: HeaderList,
  facts: ForwardingFacts,
  dropped: NameTable<true> | null,
): void {
  const { claim, host } = facts;
  const scheme = facts.tls === null ? 'http' : 'https';
  const elements = claim.forwarded ? findHeader(headers, 'forwarded') : null;
  const peer = isAddress(facts.peerIp) ? facts.peerIp : 'unknown';
  const isSaid = (name: string) => claim.fields !== 'none' && findHeader(list, name) !== null;
  put(list, dropped, 'X-Forwarded-For', extended(claim.chain, peer));
  if (!isSaid('x-forwarded-proto')) put(list, dropped, 'X-Forwarded-Proto', claim.proto ?? scheme);
  const named = claim.host ?? host;
  if (named !== '' && !isSaid('x-forwarded-host')) put(list, dropped, 'X-Forwarded-Host', named);
  const port = facts.peer.localPort;
  if (port !== 0 && !isSaid('x-forwarded-port')) put(list, dropped, 'X-Forwarded-Port', String(port));
  if (elements !== null || claim.chain === null) {
    put(list, dropped, 'Forwarded', extended(elements, formatForwarded(peer, host, scheme)));
  }
  // A new field: several fields mean the same as one with commas (RFC 9110 section 5.3).
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

/** More Fairleads than this in one chain are a loop whose other members remove our mark from `Via`. */
const HOPS_MAX = 8;

/**
 * Whether the request has come back: this process has forwarded it before (its mark is a comment in `Via`), or too
 * many Fairleads have. A few in a row are legal, because each has its own mark.
 */
export function detectLoop(headers: HeaderList, instanceId: string): boolean {
  const via = findHeader(headers, 'via');
  if (via === null) return false;
  if (via.includes(`${PSEUDONYM} (${instanceId})`)) return true;
  return via.split(',').filter(hop => /^\s*\S+\s+fairlead(?:\s|$)/i.test(hop)).length > HOPS_MAX;
}
