/**
 * The authority of a request, and its target as a backend gets it, from the request line (or `:path` and `:authority`) and
 * `Host`.
 *
 *   origin form     GET /path?query        the authority is Host                        RFC 9112 section 3.2.1
 *   absolute form   GET http://host/path   its authority wins over Host                 RFC 9112 section 3.2.2
 *   asterisk form   OPTIONS *              also from `OPTIONS http://host`              RFC 9112 section 3.2.4
 *   HTTP/2          :path, :authority      Host may repeat the authority, not differ    RFC 9113 section 8.3.1
 *
 * An empty `Host` is legal in HTTP/1 (RFC 9112 section 3.2); only routes for any host match it.
 */
import { isIPv6 } from 'node:net';

/** The parts of a raw request that contain its target. */
export interface TargetSource {
  readonly method: string;
  readonly target: string;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  readonly authority: string | null;
}

export interface RequestTarget {
  readonly target: string;
  /** Host and port as the client sent them; empty for HTTP/1.0 without `Host`. */
  readonly authority: string;
}

/** Controls, spaces and a fragment are not allowed in a target. Bytes beyond ASCII are common enough to be accepted. */
const NOT_IN_TARGET = /[^\x21\x22\x24-\x7e\x80-\xff]/;
const ABSOLUTE_FORM = /^https?:\/\/([^/?]*)(.*)$/i;
const SLASH = 0x2f;

/** A string says why the request is refused. */
export function splitTarget(raw: TargetSource, host: string | null): RequestTarget | string {
  const { target, method, protocol, authority } = raw;
  if (NOT_IN_TARGET.test(target))
    return 'The request target contains characters that must be percent-encoded.';
  if (host !== null && !isAuthority(host)) return 'The Host is malformed.';
  const originForm = target.charCodeAt(0) === SLASH;
  if (!originForm && target === '*' && method !== 'OPTIONS') return 'Only OPTIONS allows the target "*".';
  if (protocol === 'HTTP/2.0') {
    const named = authority ?? host ?? '';
    if (named === '' || !isAuthority(named)) return 'The :authority is missing or malformed.';
    if (host !== null && !sameAuthority(host, named)) return ':authority and Host differ.';
    return originForm || target === '*' ? { target, authority: named } : 'The :path is malformed.';
  }
  if (host === null && protocol === 'HTTP/1.1') return 'The Host field is missing.';
  if (originForm || target === '*') return { target, authority: host ?? '' };
  return splitAbsoluteForm(target, method);
}

function splitAbsoluteForm(target: string, method: string): RequestTarget | string {
  const [, authority, rest] = ABSOLUTE_FORM.exec(target) ?? [];
  if (authority === undefined || rest === undefined || authority === '' || !isAuthority(authority)) {
    return 'The request target is malformed.';
  }
  if (rest.startsWith('/')) return { target: rest, authority };
  return { target: method === 'OPTIONS' && rest === '' ? '*' : `/${rest}`, authority };
}

/**
 *
 * RFC 3986 section 3.2, without a user (RFC 9110 section 4.2.4): a name or an IPv4 address, or a bracketed IPv6 address. A
 * comma is refused, although a name may contain one: it is what two combined Host fields look like (RFC 9110 section 5.3),
 * and the proxy and the backend could each use another one of them.
 */
const NAME_AND_PORT = /^(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+(?::(\d*))?$/;
const BRACKETS_AND_PORT = /^\[([0-9A-Fa-f:.]+)\](?::(\d*))?$/;
/** Matches most hosts; tested first because it is cheap. */
const PLAIN_NAME = /^[A-Za-z0-9\-.]+$/;
const PORT_MAX = 65_535;

export function isAuthority(text: string): boolean {
  if (PLAIN_NAME.test(text) || text === '') return true;
  const name = NAME_AND_PORT.exec(text);
  if (name !== null) return Number(name[1] ?? 0) <= PORT_MAX;
  const address = BRACKETS_AND_PORT.exec(text);
  return address !== null && isIPv6(address[1] ?? '') && Number(address[2] ?? 0) <= PORT_MAX;
}

/** Ignores case and a default port. The scheme is not known here; the authority is what is passed on. */
function sameAuthority(one: string, other: string): boolean {
  return one === other || withoutDefaultPort(one) === withoutDefaultPort(other);
}

function withoutDefaultPort(authority: string): string {
  return authority.toLowerCase().replace(/:(?:80|443)?$/, '');
}

/** Lower case, without port and trailing dot. An IPv6 address keeps its brackets. */
export function hostForMatching(authority: string): string {
  const colon = authority.indexOf(':', authority.indexOf(']') + 1);
  const host = (colon < 0 ? authority : authority.slice(0, colon)).toLowerCase();
  return host.endsWith('.') ? host.slice(0, -1) : host;
}
