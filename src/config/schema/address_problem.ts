/** Why a text is not an address, with the line to write where it is plain what was meant. */
import { isIP } from 'node:net';
import { parseAddress } from '../../net/address.ts';

type Role = 'listener' | 'endpoint';

/** Null if the text is an address to listen on. `:PORT` is every address of the machine. */
export function listenAddressProblem(text: string): string | null {
  return addressProblem(text, 'listener');
}

/** Null if the text is the address of a backend. */
export function endpointAddressProblem(text: string): string | null {
  const problem = addressProblem(text, 'endpoint');
  if (problem !== null) return problem;
  const parsed = parseAddress(text);
  if (typeof parsed === 'string') return parsed;
  if (parsed.kind === 'fd') return 'fd: addresses are for listeners only';
  return parsed.kind === 'tcp' && parsed.port === 0 ? 'a backend needs a port from 1 to 65535' : null;
}

/** `:8080` listens on IPv6 and IPv4, as `[::]:8080` does. */
export function withHost(text: string): string {
  return text.startsWith(':') ? `[::]${text}` : text;
}

/** Of a YAML number in the place of an address. */
export function barePortProblem(port: number, role: Role): string {
  return `${port} is not an address: ${withoutHost(String(port), role)}`;
}

function addressProblem(text: string, role: Role): string | null {
  const parsed = parseAddress(role === 'listener' ? withHost(text) : text);
  if (typeof parsed !== 'string') return null;
  const isOther = /^(?:unix|fd):/.test(text);
  const meant = isOther ? null : MISTAKES.map(explain => explain(text, role)).find(found => found !== null);
  return `"${text}" is not an address: ${meant ?? parsed}`;
}

/** The first one that recognises the text explains it. */
const MISTAKES: readonly ((text: string, role: Role) => string | null)[] = [
  hasScheme,
  hasVariable,
  hasNoHost,
  isSocketPath,
  hasWildcard,
  isSeveral,
  isIpv6WithoutBrackets,
  hasNoPort,
  hasPath,
  hasNamedPort,
];

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  http: 80,
  ws: 80,
  h2c: 80,
  https: 443,
  wss: 443,
  tcp: 80,
  grpc: 80,
  grpcs: 443,
};

function hasScheme(text: string, role: Role): string | null {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(\/[^?#]+)?/i.exec(text);
  const scheme = match?.[1]?.toLowerCase() ?? '';
  const port = DEFAULT_PORTS[scheme];
  if (match === null || port === undefined) return null;
  const host = match[2] ?? '';
  const address = /:\d+$/.test(host) ? host : `${host || 'HOST'}:${port}`;
  const tls =
    role === 'listener' ? 'tls: { certFile: FILE, keyFile: FILE } in the listener' : 'tls: {} in the cluster';
  const extra = port === 443 ? `, and ${tls}` : scheme === 'h2c' ? ', and protocol: h2c in the cluster' : '';
  const path = match[3] === undefined ? '' : `; ${pathBelongs(match[3])}`;
  return `it has no scheme; write ${address}${extra}${path}`;
}

function pathBelongs(path: string): string {
  return `a path belongs in the route, as rewrite: { addPrefix: ${path} }`;
}

function hasVariable(text: string): string | null {
  const fixed = text.replace(/\$([A-Za-z_]\w*)/g, (_, name: string) => `\${${name}}`);
  return fixed === text ? null : `a variable is written \${NAME}; write "${fixed}"`;
}

function hasNoHost(text: string, role: Role): string | null {
  const port = /^:?(\d{1,5})$/.exec(text)?.[1];
  if (port === undefined || Number(port) > 65_535) return null;
  return withoutHost(port, role);
}

function withoutHost(port: string, role: Role): string {
  return role === 'listener'
    ? `write ":${port}" for every address of this machine, or 127.0.0.1:${port} for this machine only`
    : `the host is missing; write 127.0.0.1:${port} if the backend is on this machine`;
}

function isSocketPath(text: string): string | null {
  return /^\.{0,2}\/./.test(text) ? `a Unix socket is written unix:${text}` : null;
}

function hasWildcard(text: string, role: Role): string | null {
  const port = /^\*:(\d{1,5})$/.exec(text)?.[1];
  if (port !== undefined && role === 'listener') return `write ":${port}" for every address`;
  if (!text.includes('*')) return null;
  return role === 'listener' ? 'it cannot contain *' : '* stands for no host; name each backend';
}

function isSeveral(text: string): string | null {
  const weighted = /^(\S+:\d+)\s+weight=(\d+)$/.exec(text);
  if (weighted !== null) return `write { address: "${weighted[1]}", weight: ${weighted[2]} }`;
  if (/^\S+[,;]\s*\S+$/.test(text)) return 'it must be one address; write each as its own item of the list';
  const joined = text.replace(/\s+/g, '');
  return joined !== text && typeof parseAddress(joined) !== 'string'
    ? `it contains a space; write ${joined}`
    : null;
}

function isIpv6WithoutBrackets(text: string): string | null {
  const [, host = '', port = ''] = /^([0-9a-f:.]*):(\d{1,5})$/i.exec(text) ?? [];
  const isWhole = isIP(text) === 6 && !text.includes('%');
  if (isIP(host) === 6 && host.includes(':')) return `IPv6 needs brackets; write "[${host}]:${port}"`;
  return isWhole ? `the port is missing, and IPv6 needs brackets; write "[${text}]:80"` : null;
}

function hasNoPort(text: string): string | null {
  if (text.endsWith('%') || typeof parseAddress(`${text.replace(/:$/, '')}:80`) === 'string') return null;
  const host = text.replace(/:$/, '');
  return `the port is missing; write ${host.startsWith('[') ? `"${host}:80"` : `${host}:80`}`;
}

function hasPath(text: string): string | null {
  const [, address = '', path = ''] = /^([^/]+)(\/.*)$/.exec(text) ?? [];
  const known = typeof parseAddress(address) !== 'string';
  if (path === '' || !known) return null;
  return path === '/'
    ? `it has no path; write ${address}`
    : `it has no path; write ${address}; ${pathBelongs(path)}`;
}

function hasNamedPort(text: string): string | null {
  const [, host = '', name = ''] = /^([^:]*|\[.*\]):([a-z][a-z0-9-]*)$/i.exec(text) ?? [];
  if (name === '') return null;
  const port = DEFAULT_PORTS[name.toLowerCase()];
  return `the port must be a number${port === undefined ? '' : `; write ${host === '' ? `":${port}"` : `${host}:${port}`}`}`;
}
