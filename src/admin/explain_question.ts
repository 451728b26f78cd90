/**
 * Reads what somebody wants explained: a URL as it was typed, method, header fields, the address of the client. What no
 * client could send, or what no listener serves, is refused with a sentence that says what to write instead, because an
 * explanation of another request than the one that was meant misleads.
 */

import { isIP } from 'node:net';
import { nearestHint } from '../config/nearest.ts';
import type { Plan } from '../config/plan.ts';
import type { ListenerSettings } from '../http/listener_settings.ts';
import { formatAddress } from '../net/address.ts';
import { listText } from './name_list.ts';

export interface Question {
  readonly url: string;
  readonly method: string;
  /** `name: value` */
  readonly headers: readonly string[];
  readonly clientIp: string;
  /** Null: the first listener that fits the URL. */
  readonly listener: string | null;
}

/** A question that can be answered. */
export interface Asked {
  readonly listener: ListenerSettings;
  /** Names of other listeners that fit the URL as well, because it has no port. */
  readonly alternatives: readonly string[];
  readonly secure: boolean;
  /** Host and port as in the URL. */
  readonly host: string;
  /** Path and query, byte for byte as typed. */
  readonly target: string;
  /** Flat list; with a `Host` field. */
  readonly headers: readonly string[];
}

interface TypedUrl {
  readonly secure: boolean;
  readonly host: string;
  readonly hostname: string;
  /** Null: not typed. */
  readonly port: number | null;
  readonly target: string;
}

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Reads the query of `/explain?url=...&method=...&header=...`. */
export function readQuestion(query: Readonly<Record<string, unknown>>): Question {
  const one = (key: string, otherwise: string): string =>
    typeof query[key] === 'string' ? query[key] : otherwise;
  const header = query['header'];
  return {
    url: one('url', ''),
    method: one('method', 'GET'),
    headers: Array.isArray(header) ? header.map(String) : typeof header === 'string' ? [header] : [],
    clientIp: one('clientIp', '127.0.0.1'),
    listener: typeof query['listener'] === 'string' ? query['listener'] : null,
  };
}

/** A string says why the question cannot be answered, and what to ask instead. */
export function understand(plan: Plan, question: Question): Asked | string {
  const url = readUrl(question.url, plan);
  if (typeof url === 'string') return url;
  const problem = methodProblem(question.method) ?? clientProblem(question.clientIp);
  if (problem !== null) return problem;
  const headers = readHeaders(question.headers);
  if (typeof headers === 'string') return headers;
  const listener = chooseListener(plan, question.listener, url);
  if (typeof listener === 'string') return listener;
  const alternatives = isGuess(question, url, listener)
    ? Object.values(plan.listeners).filter(other => other !== listener && isSecure(other) === url.secure)
    : [];
  const hasHost = headers.some((text, at) => at % 2 === 0 && text.toLowerCase() === 'host');
  return {
    listener,
    alternatives: alternatives.map(({ name }) => name),
    secure: url.secure,
    host: url.host,
    target: url.target,
    headers: hasHost ? headers : ['Host', url.host, ...headers],
  };
}

/** The path as typed, because the URL class would resolve its dots and escape characters. */
function readUrl(text: string, plan: Plan): TypedUrl | string {
  const [, scheme = '', authority = '', rest = ''] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/?#]*)([^#]*)/i.exec(text) ?? [];
  if (scheme === '')
    return `"${text}" is not a whole URL; write it like ${exampleUrl(plan, authority, rest)}`;
  if (/^wss?$/i.test(scheme))
    return `a WebSocket begins as an HTTP request: ask for ${scheme.toLowerCase() === 'ws' ? 'http' : 'https'}://${authority}${rest} with the headers "Connection: upgrade" and "Upgrade: websocket"`;
  if (!/^https?$/i.test(scheme)) return `"${text}" does not begin with http:// or https://`;
  if (authority === '') return `"${text}" names no host; write it like ${exampleUrl(plan, '', rest)}`;
  if (!URL.canParse(text)) return `"${text}" is not a URL: "${authority}" is not a host and a port`;
  const { host, hostname, protocol } = new URL(text);
  const port = /:(\d+)$/.exec(authority)?.[1];
  return {
    secure: protocol === 'https:',
    host,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port === undefined ? null : Number(port),
    target: rest.startsWith('/') ? rest : `/${rest}`,
  };
}

/** A URL that the first listener would serve, with as much as possible of what was typed. */
function exampleUrl(plan: Plan, authority: string, rest: string): string {
  const first = Object.values(plan.listeners)[0];
  const host = plan.routes.flatMap(({ match }) => match.hosts).find(name => !name.startsWith('*'));
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  return `${schemeOf(first)}://${authority === '' ? (host ?? 'example.com') : authority}${path}`;
}

function schemeOf(listener: ListenerSettings | undefined): 'http' | 'https' {
  return listener === undefined || listener.tls === null ? 'http' : 'https';
}

function methodProblem(method: string): string | null {
  if (!TOKEN.test(method)) return `"${method}" is not a method: a method has no spaces and no separators`;
  return /^[a-z]+$/.test(method)
    ? `"${method}": methods are in capitals; did you mean ${method.toUpperCase()}?`
    : null;
}

function clientProblem(ip: string): string | null {
  if (ip === 'unix' || (isIP(ip) !== 0 && !ip.includes('%'))) return null;
  const network = /^(.*)\/\d+$/.exec(ip)?.[1] ?? '';
  if (isIP(network) !== 0)
    return `client IP "${ip}" is a network; ask with one address of it, such as ${network}`;
  return `client IP "${ip}" is not an IP address; write it like 192.0.2.1 or 2001:db8::1`;
}

/** Flat list from `name: value` texts. */
function readHeaders(texts: readonly string[]): string[] | string {
  const list: string[] = [];
  for (const text of texts) {
    const colon = text.indexOf(':');
    if (colon <= 0) return `the header "${text}" must be written as "name: value"`;
    const [name, value] = [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
    if (!TOKEN.test(name)) return `the header "${text}" has no valid name: "${name}"`;
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value))
      return `the value of the header ${name} has a control character`;
    list.push(name, value);
  }
  return list;
}

function chooseListener(plan: Plan, name: string | null, url: TypedUrl): ListenerSettings | string {
  const all = Object.values(plan.listeners);
  if (name !== null) return namedListener(plan, name, url);
  const port = url.port ?? (url.secure ? 443 : 80);
  const onPort = all.filter(({ address }) => address.kind === 'tcp' && address.port === port);
  const found = bestOf(onPort, url);
  if (found !== null) return isSecure(found) === url.secure ? found : wrongScheme(found, url);
  // A port that the file does not know: of a socket, a descriptor, or any free one.
  const unknown = all.filter(({ address }) => address.kind !== 'tcp' || address.port === 0);
  const candidates = (url.port === null ? all : unknown).filter(one => isSecure(one) === url.secure);
  if (candidates[0] !== undefined) return candidates[0];
  if (url.port !== null)
    return `no listener has port ${url.port}; listeners: ${describeListeners(all)}. Behind a port mapping, choose one with --listener`;
  const first = all[0];
  return first === undefined ? 'there is no listener' : wrongScheme(first, url);
}

function isSecure({ tls }: ListenerSettings): boolean {
  return tls !== null;
}

/** Neither a name nor a port has decided. */
function isGuess(
  { listener: name }: Question,
  { port, secure }: TypedUrl,
  { address }: ListenerSettings,
): boolean {
  const usual = port ?? (secure ? 443 : 80);
  return name === null && !(address.kind === 'tcp' && address.port === usual);
}

/** Of several on one port: the one with the address of the URL, else the one with its scheme. */
function bestOf(
  listeners: readonly ListenerSettings[],
  { hostname, secure }: TypedUrl,
): ListenerSettings | null {
  return (
    listeners.find(({ address }) => address.kind === 'tcp' && address.host === hostname) ??
    listeners.find(one => isSecure(one) === secure) ??
    listeners[0] ??
    null
  );
}

function namedListener(plan: Plan, name: string, url: TypedUrl): ListenerSettings | string {
  const listener = Object.hasOwn(plan.listeners, name) ? plan.listeners[name] : undefined;
  if (listener === undefined) {
    const hint = nearestHint(name, Object.keys(plan.listeners));
    return `there is no listener "${name}"${hint}; listeners: ${describeListeners(Object.values(plan.listeners))}`;
  }
  return isSecure(listener) === url.secure ? listener : wrongScheme(listener, url);
}

function wrongScheme({ name, address }: ListenerSettings, { secure, host, target }: TypedUrl): string {
  const at = `listener ${name} (${formatAddress(address)})`;
  return secure
    ? `${at} does not speak TLS; ask for http://${host}${target}. Where a load balancer in front ends TLS, add -H "X-Forwarded-Proto: https"`
    : `${at} speaks TLS only; ask for https://${host}${target}`;
}

function describeListeners(listeners: readonly ListenerSettings[]): string {
  return listText(
    listeners.map(listener => `${listener.name} (${schemeOf(listener)}, ${formatAddress(listener.address)})`),
  );
}
