/** The configuration that `fairlead proxy` runs with, as the text of a file, and which option a problem in it comes from. */
import { isIP } from 'node:net';
import type { Problem } from '../config/problems.ts';
import { UsageError } from './parse_words.ts';

export interface ProxyOptions {
  readonly from: string;
  readonly to: readonly string[];
  readonly cert: string | null;
  readonly key: string | null;
  /** An address, or `off`. */
  readonly admin: string;
}

interface Backends {
  readonly endpoints: readonly string[];
  readonly tls: boolean;
  /** What the backend is asked as: the name of a backend elsewhere, which knows no other. Null: as the client says. */
  readonly host: string | null;
}

/** Throws `UsageError` for options that do not go together. Addresses are checked with the rest, by the loader. */
export function proxyConfigText(options: ProxyOptions): string {
  const { from, cert, key, admin } = options;
  if ((cert === null) !== (key === null))
    throw new UsageError('--cert and --key go together: the certificate and its private key, in PEM');
  const { endpoints, tls, host } = backendsOf(options.to);
  const certificate = `    tls: { certificates: [{ certFile: ${quoted(cert ?? '')}, keyFile: ${quoted(key ?? '')} }] }\n`;
  return `version: 1
admin: { address: ${admin === 'off' ? 'off' : quoted(admin)} }
listeners:
  main:
    address: ${quoted(from)}
${cert === null ? '' : certificate}routes:
  - name: all
    match: { path: { prefix: / } }
    forward: { cluster: app }
${host === null ? '' : `    rewrite: { host: ${quoted(host)} }\n`}    retries: { attempts: 2, on: [connect, reset] }
clusters:
  app:
    endpoints:
${endpoints.map(endpoint => `      - ${quoted(endpoint)}\n`).join('')}${tls ? '    tls: {}\n' : ''}    health:
      active: { tcp: true }             # or a path that responds with 200: { path: /healthz }
      passive: { consecutiveFailures: 5, ejectFor: 10s }
`;
}

/** A double-quoted scalar of YAML; `$${` is a literal `${`, which would insert a variable. */
function quoted(text: string): string {
  return JSON.stringify(text.replaceAll('${', () => '$${'));
}

function backendsOf(to: readonly string[]): Backends {
  if (to.length === 0) throw new UsageError('proxy needs --to ADDRESS: where the backend is');
  const targets = to.map(targetOf);
  const tls = targets.some(target => target.tls);
  if (targets.some(target => target.tls !== tls))
    throw new UsageError('--to: https:// and other backends cannot share one cluster; use one kind only');
  const [first] = targets;
  const isOneElsewhere = targets.length === 1 && tls && first !== undefined && isIP(first.name) === 0;
  return {
    endpoints: targets.map(({ address }) => address),
    tls,
    host: isOneElsewhere ? first.authority : null,
  };
}

interface Target {
  readonly address: string;
  readonly tls: boolean;
  readonly name: string;
  /** As in a `Host` field: without the port that the scheme has by itself. */
  readonly authority: string;
}

function targetOf(text: string): Target {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const address = /^:?\d+$/.test(text) ? `127.0.0.1:${text.replace(':', '')}` : text;
    return { address, tls: false, name: address, authority: address };
  }
  if (scheme !== 'http' && scheme !== 'https')
    throw new UsageError(`--to ${text}: the scheme is http or https; without one it is http`);
  const url = URL.parse(text);
  if (url === null) throw new UsageError(`--to ${text}: not a URL`);
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '')
    throw new UsageError(
      `--to ${text}: only scheme, host and port; for a path write a file with --print and add a rewrite`,
    );
  const port = url.port || (scheme === 'https' ? '443' : '80');
  return {
    address: `${url.hostname}:${port}`,
    tls: scheme === 'https',
    name: url.hostname.replace(/^\[|\]$/g, ''),
    authority: url.host,
  };
}

/** The option that a problem is about: `--to 10.0.0.300:80`; null if it is about none. */
export function optionOf({ path }: Problem, { from, to, cert, key, admin }: ProxyOptions): string | null {
  const endpoint = /^clusters\.app\.endpoints(?:\.|\[)(\d+)/.exec(path)?.[1];
  if (endpoint !== undefined) return `--to ${to[Number(endpoint)]}`;
  if (path.startsWith('admin')) return `--admin ${admin}`;
  if (path.endsWith('.certFile')) return `--cert ${cert}`;
  if (path.endsWith('.keyFile')) return `--key ${key}`;
  if (path.startsWith('listeners.main.tls')) return `--cert ${cert}`;
  return path.startsWith('listeners.main') ? `--from ${from}` : null;
}
