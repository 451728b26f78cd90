/**
 * The names that a certificate is for: only its subject alternative names count, never its common name (RFC 9110 section
 * 4.3.4, RFC 9525 section 2). A wildcard stands for exactly one label, the leftmost one (RFC 9525 section 6.3).
 */
import type { X509Certificate } from 'node:crypto';

export interface CertificateNames {
  /** Lower case, without a trailing dot; wildcards as `*.example.com`. */
  readonly dns: readonly string[];
  /** IPv6 in brackets and in its shortest form, as in a URL. */
  readonly addresses: readonly string[];
}

/** `DNS:a.example, IP Address:192.0.2.1, URI:"with, comma"`: Node quotes a value that contains a separator. */
const NAME = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g;
const DNS_NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/;

export function namesOf({ subjectAltName = '' }: X509Certificate): CertificateNames {
  const dns: string[] = [];
  const addresses: string[] = [];
  for (const [, kind, value = ''] of subjectAltName.matchAll(NAME)) {
    const name = value.toLowerCase().replace(/\.$/, '');
    if (kind === 'DNS' && DNS_NAME.test(name)) dns.push(name);
    else if (kind === 'IP Address') addresses.push(expandedAddress(name));
  }
  return { dns, addresses };
}

/** `host`: a name in lower case without a trailing dot, or an address, IPv6 in brackets. */
export function covers({ dns, addresses }: CertificateNames, host: string): boolean {
  if (host.startsWith('[')) return addresses.includes(expandedAddress(host.slice(1, -1)));
  return dns.includes(host) || dns.includes(wildcardOf(host)) || addresses.includes(host);
}

/** The wildcard that would cover a name: `a.example.com` is covered by `*.example.com`. */
export function wildcardOf(host: string): string {
  const dot = host.indexOf('.');
  return dot <= 0 ? '' : `*${host.slice(dot)}`;
}

/** The same text for every spelling of an IPv6 address, because Node shows the address of a certificate in full. */
function expandedAddress(ip: string): string {
  return ip.includes(':') && URL.canParse(`http://[${ip}]`) ? new URL(`http://[${ip}]`).hostname : ip;
}
