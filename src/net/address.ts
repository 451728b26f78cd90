/** An address: where to listen, or where a backend is. */
import { isIP } from 'node:net';

export type Address =
  /** `host` is a name, or an IP literal without brackets. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  /** A descriptor inherited through socket activation, by its name in LISTEN_FDNAMES or its number. */
  | { readonly kind: 'fd'; readonly name: string };

/** The text form that `parseAddress` reads: `127.0.0.1:80`, `[::1]:80`, `name:80`, `unix:/path`, `fd:name`. */
export function formatAddress(address: Address): string {
  switch (address.kind) {
    case 'tcp':
      return address.host.includes(':')
        ? `[${address.host}]:${address.port}`
        : `${address.host}:${address.port}`;
    case 'unix':
      return `unix:${address.path}`;
    case 'fd':
      return `fd:${address.name}`;
  }
}

/**
 * The host name if it may stand for several machines; null if there is nothing to look up. `localhost` is one
 * machine, whatever it resolves to (RFC 6761 section 6.3).
 */
export function nameOf(address: Address): string | null {
  if (address.kind !== 'tcp' || isIP(address.host) !== 0) return null;
  return /(?:^|\.)localhost\.?$/i.test(address.host) ? null : address.host;
}

/** Whether only this machine can reach the address. */
export function isLoopback(address: Address): boolean {
  return address.kind !== 'tcp' || /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/.test(address.host);
}

/**
 * Reads an address. A string is the reason why the text is not an address. Port 0 (any free port) is allowed for
 * listeners.
 */
export function parseAddress(text: string): Address | string {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    // sun_path of struct sockaddr_un holds 108 bytes including the final NUL (unix(7)).
    if (path === '') return '"unix:" must be followed by a path';
    return Buffer.byteLength(path) > 107
      ? 'the path of a Unix socket can have at most 107 bytes'
      : { kind: 'unix', path };
  }
  if (text.startsWith('fd:')) {
    const name = text.slice('fd:'.length);
    return name === '' ? '"fd:" must be followed by a name or number' : { kind: 'fd', name };
  }
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null) return 'expected host:port, [IPv6]:port, unix:PATH or fd:NAME';
  if (port > 65_535) return `port ${port} is above 65535`;
  const problem = match[1] === undefined ? nameProblem(match[2] ?? '') : addressProblem(match[1]);
  return problem ?? { kind: 'tcp', host: match[1] ?? match[2] ?? '', port };
}

/** What old resolvers read as an address in another form: `127.1`, `0x7f.1`, `010.0.0.1` (octal). */
const NEARLY_IPV4 = /^(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+))*\.?$/i;
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

function nameProblem(host: string): string | null {
  if (isIP(host) === 4) return null;
  if (NEARLY_IPV4.test(host))
    return `"${host}" is not an IPv4 address; write four numbers from 0 to 255 without leading zeros`;
  const wrong = host
    .replace(/\.$/, '')
    .split('.')
    .find(label => !LABEL.test(label));
  if (wrong === undefined) return null;
  return wrong === '' ? `"${host}" has two dots in a row` : `"${wrong}" cannot be part of a host name`;
}

function addressProblem(host: string): string | null {
  return isIP(host) === 6 ? null : `"${host}" is not an IPv6 address`;
}
