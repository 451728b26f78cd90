/** The line to write where a value has the wrong shape and it is plain what was meant: a path instead of a mapping with a path. */
import type { Path } from '../text/path.ts';
import { DURATION_PATTERN } from '../units.ts';
import { CHOICES, type ChoiceId } from './defaults.ts';
import { flow, hostPortOf, isName } from './flow_text.ts';
import { ruleLine } from './foreign_lines.ts';
import { isMapping } from './mapping.ts';
import { redirectTarget } from './redirect_problem.ts';

type Line = (value: unknown) => string | null;

const ifText =
  (line: (text: string) => string | null): Line =>
  value =>
    typeof value === 'string' && value !== '' ? line(value) : null;
const ifPath = (line: (path: string) => string): Line =>
  ifText(text => (text.startsWith('/') ? line(text) : null));
const ifNumber =
  (line: (count: number) => string): Line =>
  value =>
    typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))
      ? line(Number(value))
      : null;
const ifTrue =
  (line: string): Line =>
  value =>
    value === true || value === 'on' ? line : null;
const ifObject =
  (line: string): Line =>
  value =>
    isMapping(value) ? line : null;
const ifList =
  (line: (list: readonly unknown[]) => string): Line =>
  value =>
    Array.isArray(value) ? line(value) : null;

const DURATION = new RegExp(DURATION_PATTERN);

const POLICIES = CHOICES['clusters.loadBalancing.policy'].options.map(String);

/** `*` is any name or index. Of several lines for one place the first one that there is holds. */
const LINES: readonly (readonly [at: string, line: Line])[] = [
  ['listeners', ifList(() => 'listeners: { NAME: { address: ":80" } }')],
  ['listeners.*', ifNumber(port => `{ address: ":${port}" }`)],
  ['listeners.*', ifText(text => `{ address: ${flow(text)} }`)],
  ['listeners.*.tls', ifTrue('tls: { certFile: FILE, keyFile: FILE }')],
  ['listeners.*.tls', ifText(file => `tls: { certFile: ${flow(file)}, keyFile: FILE }`)],
  ['listeners.*.proxyProtocol', ifTrue('proxyProtocol: { from: [NETWORK] }')],
  ['listeners.*.limits', ifNumber(count => `limits: { connections: ${count} }`)],
  ['*.*.access', ifList(networks => `access: { allow: ${flow(networks)} }`)],
  ['*.*.access', ifText(network => `access: { allow: ${flow(network)} }`)],
  ['*.*.timeouts', ifText(text => (DURATION.test(text) ? `timeouts: { request: ${text} }` : null))],
  ['routes', value => (isMapping(value) ? routesLine(value) : null)],
  [
    'routes.*.match',
    ifText(text =>
      text.includes('(')
        ? ruleLine(text)
        : `match: { ${text.startsWith('/') ? pathLine(text) : `hosts: ${flow(text)}`} }`,
    ),
  ],
  ['routes.*.match.path', ifPath(pathLine)],
  ['routes.*.match.headers', ifText(() => 'headers: { NAME: VALUE }')],
  [
    'routes.*.forward',
    ifList(names => `forward: { split: [${names.slice(0, 3).map(splitLine).join(', ')}] }`),
  ],
  ['routes.*.redirect', ifText(to => `redirect: { to: ${flow(redirectTarget(to))} }`)],
  ['routes.*.respond', ifNumber(status => `respond: { status: ${status} }`)],
  ['routes.*.respond', ifText(body => `respond: { status: 200, body: ${flow(body)} }`)],
  ['routes.*.rewrite', ifText(rewriteLine)],
  ['routes.*.retries', ifNumber(count => `retries: { attempts: ${count} }`)],
  ['routes.*.rateLimits', ifText(rateLimitLine)],
  ['routes.*.rateLimits', ifObject('a list: rateLimits: [{ key: clientIp, rate: 100/s }]')],
  ['routes.*.basicAuth', ifText(file => `basicAuth: { file: ${flow(file)} }`)],
  ['routes.*.limits', ifText(size => `limits: { bodyBytes: ${flow(size)} }`)],
  ['clusters', ifList(() => 'clusters: { NAME: { endpoints: [HOST:PORT] } }')],
  ['clusters.*', ifText(text => `{ endpoints: ${flow(hostPortOf(text) ?? text)} }`)],
  ['clusters.*', ifList(list => `{ endpoints: ${flow(list)} }`)],
  ['clusters.*.endpoints', value => (isMapping(value) ? `endpoints: [${flow(value)}]` : null)],
  ['clusters.*.tls', ifTrue('tls: {}')],
  [
    'clusters.*.loadBalancing',
    ifText(policy => (isName(policy) ? `loadBalancing: { policy: ${policyOf(policy)} }` : null)),
  ],
  ['clusters.*.health', ifPath(path => `health: { active: { path: ${flow(path)} } }`)],
  ['clusters.*.health', ifTrue('health: { active: { path: /healthz } }')],
  ['clusters.*.health.active', ifPath(path => `active: { path: ${flow(path)} }`)],
  ['clusters.*.health.active', ifTrue('active: { path: /healthz }, or active: { tcp: true }')],
  ['clusters.*.pool', ifNumber(count => `pool: { connections: ${count} }`)],
  ['admin', ifText(text => `admin: { address: ${flow(hostPortOf(text) ?? text)} }`)],
  ['admin', ifNumber(port => `admin: { address: 127.0.0.1:${port} }`)],
  ['admin', ifTrue('admin: { address: 127.0.0.1:9901 }')],
  ['logging', ifText(level => (isOneOf('logging.level', level) ? `logging: { level: ${level} }` : null))],
  [
    'logging.access',
    ifText(format => (isOneOf('logging.access.format', format) ? `access: { format: ${format} }` : null)),
  ],
  ['tracing.otlp', ifText(url => `otlp: { endpoint: ${flow(url)} }`)],
  ['stores.*', ifText(url => `{ redis: ${flow(url)} }`)],
  ['process.drain', ifText(text => (DURATION.test(text) ? `drain: { timeout: ${text} }` : null))],
];

/** `write path: { prefix: /api }, ...`; undefined if nobody can know. */
export function lineToWrite(path: Path, value: unknown): string | undefined {
  for (const [at, line] of LINES) {
    if (!matches(at.split('.'), path)) continue;
    const found = line(value);
    if (found !== null) return `write ${found}`;
  }
  return undefined;
}

function matches(pattern: readonly string[], path: Path): boolean {
  return pattern.length === path.length && pattern.every((part, at) => part === '*' || part === path[at]);
}

/** What other proxies call the policies: `least_conn`, `roundrobin`, `RANDOM`. */
function policyOf(text: string): string {
  const plain = text.toLowerCase().replace(/[_-]/g, '');
  if (plain.startsWith('least')) return 'leastRequests';
  return POLICIES.find(policy => policy.toLowerCase() === plain) ?? text;
}

function isOneOf(id: ChoiceId, text: string): boolean {
  return CHOICES[id].options.map(String).includes(text);
}

/** A path alone has no one meaning: nginx takes it as a prefix, Caddy as the whole path, and people as either. */
function pathLine(path: string): string {
  const prefix = path.replace(/\/\*{1,2}$/, '') || '/';
  if (prefix !== path) return `path: { prefix: ${flow(prefix)} }`;
  if (/[{}]/.test(path)) return `path: { template: ${flow(path)} }`;
  return `path: { prefix: ${flow(path)} } for it and everything below, or path: { exact: ${flow(path)} } for it alone`;
}

function splitLine(name: unknown): string {
  return `{ cluster: ${isName(name) ? name : 'NAME'}, weight: 1 }`;
}

/** nginx writes `10r/s`. */
function rateLimitLine(text: string): string | null {
  const [, count, unit] = /^(\d+)r?\/([smh])$/.exec(text) ?? [];
  return count === undefined ? null : `rateLimits: [{ key: clientIp, rate: ${count}/${unit} }]`;
}

/** `^/a/(.*)$ /b/$1`, as nginx has it, or a path. */
function rewriteLine(text: string): string | null {
  const [, pattern, replacement] = /^(\S+)\s+(\S+)(?:\s+\w+)?$/.exec(text) ?? [];
  if (pattern !== undefined && replacement !== undefined)
    return `rewrite: { regex: { pattern: ${JSON.stringify(pattern)}, with: ${JSON.stringify(replacement)} } }`;
  return text.startsWith('/') ? `rewrite: { replacePath: ${flow(text)} }` : null;
}

/** Routes by name, like listeners and clusters. */
function routesLine(routes: Readonly<Record<string, unknown>>): string {
  const name = Object.keys(routes)[0];
  return `a list: routes: [{ name: ${isName(name) ? name : 'NAME'}, ... }]`;
}
