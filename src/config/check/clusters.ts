/** Clusters: different endpoints that take traffic, and protocols and health checks that fit together. */
import { nameOf, parseAddress } from '../../net/address.ts';
import type { ClusterConfig } from '../schema/cluster.ts';
import type { Path } from '../text/path.ts';
import type { Relations } from './relations.ts';

export function checkClusters(relations: Relations): void {
  for (const [name, cluster] of Object.entries(relations.config.clusters ?? {})) {
    const path = ['clusters', name];
    checkEndpoints(name, cluster, path, relations);
    checkProtocol(name, cluster, path, relations);
    checkActive(name, cluster, path, relations);
  }
}

function checkEndpoints(
  cluster: string,
  { endpoints }: ClusterConfig,
  path: Path,
  { report }: Relations,
): void {
  const seen = new Map<string, number>();
  for (const [at, endpoint] of endpoints.entries()) {
    const address = addressOf(endpoint);
    const first = seen.get(address.toLowerCase());
    if (first === undefined) seen.set(address.toLowerCase(), at);
    else
      report(
        [...path, 'endpoints', at],
        `endpoint ${address} repeats endpoints[${first}] of cluster ${cluster}; give that one a higher weight instead`,
      );
  }
  for (const [at, endpoint] of endpoints.entries()) {
    if (typeof endpoint === 'string' || endpoint.resolve === undefined || hasName(endpoint.address)) continue;
    report(
      [...path, 'endpoints', at, 'resolve'],
      `${endpoint.address} of cluster ${cluster} is not a host name, so there is nothing to resolve; remove resolve`,
      { at: 'key' },
    );
  }
  if (endpoints.every(endpoint => typeof endpoint !== 'string' && endpoint.weight === 0)) {
    report([...path, 'endpoints'], `all weights of cluster ${cluster} are 0: no endpoint would get traffic`, {
      at: 'key',
    });
  }
}

function checkProtocol(
  name: string,
  { protocol, tls, endpoints }: ClusterConfig,
  path: Path,
  { isLost, report }: Relations,
): void {
  if (isLost([...path, 'tls'])) return;
  if (protocol === 'h2c' && tls !== undefined) {
    report([...path, 'protocol'], `h2c is HTTP/2 without TLS, but cluster ${name} has tls; write http2`);
  }
  if (protocol === 'http2' && tls === undefined) {
    report(
      [...path, 'protocol'],
      `http2 needs TLS, but cluster ${name} has none; add tls: {}, or write h2c for HTTP/2 without TLS`,
    );
  }
  if (tls === undefined) return;
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    const [written, missing] = tls.certFile === undefined ? ['keyFile', 'certFile'] : ['certFile', 'keyFile'];
    report([...path, 'tls', written], `${written} of cluster ${name} needs ${missing} as well`, {
      at: 'key',
    });
  }
  const nameless = endpoints.findIndex(endpoint => isUnix(addressOf(endpoint)));
  if (nameless >= 0 && tls.serverName === undefined && tls.verify !== false) {
    report(
      [...path, 'tls'],
      `endpoints[${nameless}] of cluster ${name} is a Unix socket, which gives no name to check the certificate against; add tls.serverName`,
      { at: 'key' },
    );
  }
}

/** The kinds of probes, which exclude each other. `path` alone is a probe over HTTP. */
const KINDS = ['tcp', 'grpc', 'webSocket'] as const;
/** Settings of only some kinds, with what to do instead. */
const ONLY_HTTP = ['method', 'expect', 'body'] as const;
const NOT_FOR_TCP_AND_GRPC = ['path', 'host', 'headers'] as const;

function checkActive(
  name: string,
  { health, protocol = 'http1' }: ClusterConfig,
  path: Path,
  { report }: Relations,
): void {
  const active = health?.active;
  if (typeof active !== 'object') return;
  const at = [...path, 'health', 'active'];
  const check = `the active check of cluster ${name}`;
  const [kind, ...others] = KINDS.filter(key => active[key] !== undefined);
  if (kind === undefined && active.path === undefined) {
    report(at, `${check} needs a path, or tcp: true to only connect`, { at: 'key' });
  }
  for (const other of others)
    report([...at, other], `${check} has ${kind} and ${other}; only one is allowed`, { at: 'key' });
  const useless = [
    ...(kind === undefined ? [] : ONLY_HTTP),
    ...(kind === 'tcp' || kind === 'grpc' ? NOT_FOR_TCP_AND_GRPC : []),
  ];
  for (const key of useless) {
    if (active[key] === undefined) continue;
    report([...at, key], `${check} has ${kind} and ${key}, which cannot be combined; remove one`, {
      at: 'key',
    });
  }
  if (kind === 'grpc' && protocol === 'http1') {
    report([...at, 'grpc'], `${check} is gRPC, which needs protocol http2 or h2c`, { at: 'key' });
  }
  if (active.body !== undefined && active.method === 'HEAD') {
    report([...at, 'body'], `${check} expects a body, but responses to HEAD have none`, {
      at: 'key',
    });
  }
}

function addressOf(endpoint: ClusterConfig['endpoints'][number]): string {
  return typeof endpoint === 'string' ? endpoint : endpoint.address;
}

function hasName(text: string): boolean {
  const address = parseAddress(text);
  return typeof address === 'string' || nameOf(address) !== null;
}

function isUnix(text: string): boolean {
  const address = parseAddress(text);
  return typeof address !== 'string' && address.kind === 'unix';
}
