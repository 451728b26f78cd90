/** The lines to write instead of settings of other proxies, made from the values of these. */
import { DURATION_PATTERN } from '../units.ts';
import { flow, hostPortOf, isName } from './flow_text.ts';

export function forwardLine(value: unknown): string {
  if (isName(value)) return `forward: ${value}`;
  return `forward: NAME, with clusters: { NAME: { endpoints: ${flow([hostPortOf(value) ?? 'HOST:PORT'])} } }`;
}

export function endpointsLine(value: unknown): string {
  const list = objectPart(value, 'servers') ?? value;
  const found = (Array.isArray(list) ? list : [list]).map(
    item => hostPortOf(item) ?? hostPortOf(objectPart(item, 'url')) ?? 'HOST:PORT',
  );
  return `endpoints: ${flow([...new Set(found)].slice(0, 3))}`;
}

function objectPart(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

export function addressLine(value: unknown): string {
  return `address: ${flow(hostPortOf(value) ?? 'HOST:PORT')}`;
}

export function portOf(value: unknown): string {
  return /^\d{1,5}$/.exec(String(value))?.[0] ?? 'PORT';
}

export function listenText(value: unknown): string {
  const port = /^(?:\*?:)?(\d{1,5})(?:\s|$)/.exec(String(value))?.[1];
  return port === undefined ? flow(hostPortOf(value) ?? ':80') : `":${port}"`;
}

export function pathText(value: unknown): string {
  const found = typeof value === 'string' ? /^\/[\w\-./]*/.exec(value)?.[0] : undefined;
  return found === undefined ? '/PATH' : found.replace(/(.)\/$/, '$1');
}

/** Reads a rule of Traefik as far as it has one meaning. */
export function ruleLine(value: unknown): string {
  const rule = typeof value === 'string' ? value.slice(0, 1_000) : '';
  const quoted = (name: string): string[] =>
    [...rule.matchAll(new RegExp(`\\b${name}\\(([^)]*)\\)`, 'g'))].flatMap(([, list = '']) =>
      list.split(',').map(item => item.replace(/[`'"\s]/g, '')),
    );
  const hosts = quoted('Host');
  const prefix = quoted('PathPrefix')[0];
  const exact = quoted('Path')[0];
  const path = prefix === undefined ? exact && `path: { exact: ${exact} }` : `path: { prefix: ${prefix} }`;
  const parts = [hosts.length > 0 && `hosts: ${flow(hosts)}`, path].filter(part => Boolean(part));
  const isUsual = parts.length > 0 && !/[!|]|Regexp/.test(rule);
  return `match: { ${isUsual ? parts.join(', ') : 'hosts: [NAME], path: { prefix: /PATH } }'.slice(0, -2)} }`;
}

/** `301 https://x` is a redirect, `200 "text"` a response. */
export function returnLine(value: unknown): string {
  const [, status, rest = ''] = /^(\d{3})?\s*(.*)$/.exec(String(value)) ?? [];
  const isRedirect = /^(?:https?:|\/|\{)/.test(rest) || status === undefined || status.startsWith('3');
  if (!isRedirect) return `respond: { status: ${status} }`;
  return `redirect: { status: ${status ?? 308}, to: "https://{host}{path}{query}" }`;
}

export function healthLine(value: unknown): string {
  const path = typeof value === 'string' ? value : objectPart(value, 'path');
  return `health: { active: { path: ${typeof path === 'string' && path.startsWith('/') ? flow(path) : '/healthz'} } }`;
}

/** `a.com b.com` are two names to nginx. */
export function hostsLine(value: unknown): string {
  return `match: { hosts: ${typeof value === 'string' ? flow(value.split(/[\s,]+/)) : '[NAME]'} }`;
}

export function requestTimeoutLine(value: unknown): string {
  const isDuration = typeof value === 'string' && new RegExp(DURATION_PATTERN).test(value);
  return `timeouts: { request: ${isDuration ? value : '60s'} }`;
}
