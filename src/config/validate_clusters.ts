/** Clusters: endpoints that are different and take traffic, protocols and checks that go together. */
import { nameOf, parseAddress } from '../net/endpoint.ts';
import type { Path } from './path.ts';
import type { Relations } from './relations.ts';
import type { ClusterConfig } from './schema_cluster.ts';

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
        `the endpoint ${address} is already endpoints[${first}] of cluster ${cluster}; give that one a weight instead`,
      );
  }
  for (const [at, endpoint] of endpoints.entries()) {
    if (typeof endpoint === 'string' || endpoint.resolve === undefined || hasName(endpoint.address)) continue;
    report(
      [...path, 'endpoints', at, 'resolve'],
      `${endpoint.address} of cluster ${cluster} is no name that could be looked up; remove resolve`,
      { at: 'key' },
    );
  }
  if (endpoints.every(endpoint => typeof endpoint !== 'string' && endpoint.weight === 0)) {
    report([...path, 'endpoints'], `all weights of cluster ${cluster} are 0: it could serve nothing`, {
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
    report([...path, 'protocol'], `h2c is HTTP/2 without TLS, and cluster ${name} has tls; write http2`);
  }
  if (protocol === 'http2' && tls === undefined) {
    report(
      [...path, 'protocol'],
      `http2 needs TLS, and cluster ${name} has none; add tls: {}, or write h2c for HTTP/2 in clear`,
    );
  }
  if (tls === undefined) return;
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    const [written, missing] = tls.certFile === undefined ? ['keyFile', 'certFile'] : ['certFile', 'keyFile'];
    report([...path, 'tls', written], `${written} of cluster ${name} needs ${missing} beside it`, {
      at: 'key',
    });
  }
  const nameless = endpoints.findIndex(endpoint => isUnix(addressOf(endpoint)));
  if (nameless >= 0 && tls.serverName === undefined && tls.verify !== false) {
    report(
      [...path, 'tls'],
      `endpoints[${nameless}] of cluster ${name} is a Unix socket, so its certificate has no name to be checked for; add tls.serverName`,
      { at: 'key' },
    );
  }
}

function checkActive(name: string, { health }: ClusterConfig, path: Path, { report }: Relations): void {
  const active = health?.active;
  if (typeof active !== 'object') return;
  const at = [...path, 'health', 'active'];
  if (active.path === undefined && active.tcp === undefined) {
    report(at, `the active check of cluster ${name} needs a path to ask for, or tcp: true to only connect`, {
      at: 'key',
    });
  }
  if (active.path !== undefined && active.tcp !== undefined) {
    report([...at, 'tcp'], `the active check of cluster ${name} has path and tcp; it can have only one`, {
      at: 'key',
    });
  }
  if (active.tcp === true && active.expect !== undefined) {
    report(
      [...at, 'expect'],
      `the active check of cluster ${name} only connects, so there is no status to expect`,
      { at: 'key' },
    );
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
