/** Where the proxy listens: addresses that are free of each other, protocols that go together. */
import { type Address, parseAddress } from '../../net/endpoint.ts';
import type { Config } from '../schema/schema.ts';
import type { Path } from '../text/path.ts';
import type { Relations } from './relations.ts';

interface ListenAddress {
  readonly name: string;
  readonly path: Path;
  readonly address: Address;
}

export function checkListeners(relations: Relations): void {
  const { config, report } = relations;
  if (Object.keys(config.listeners).length === 0) {
    report(['listeners'], 'there are no listeners: no client could connect', { at: 'key' });
  }
  checkAddresses(relations);
  for (const [name, listener] of Object.entries(config.listeners)) {
    const path = ['listeners', name];
    if (listener.h2c === true && listener.tls !== undefined) {
      report(
        [...path, 'h2c'],
        'h2c is HTTP/2 without TLS; this listener has tls and offers HTTP/2 by ALPN, so remove h2c',
      );
    }
    if (listener.reusePort === true && isOtherThanTcp(listener.address)) {
      report(
        [...path, 'reusePort'],
        'reusePort is for TCP ports; this address is no TCP port, so remove reusePort',
      );
    }
    const written = typeof listener.http2 === 'object';
    if (
      written &&
      listener.tls === undefined &&
      listener.h2c !== true &&
      !relations.isLost([...path, 'tls'], [...path, 'h2c'])
    ) {
      report([...path, 'http2'], `listener ${name} does not speak HTTP/2: it has neither tls nor h2c: true`, {
        at: 'key',
      });
    }
  }
}

function isOtherThanTcp(text: string): boolean {
  const address = parseAddress(text);
  return typeof address !== 'string' && address.kind !== 'tcp';
}

function checkAddresses({ config, report, document }: Relations): void {
  const seen: ListenAddress[] = [];
  for (const one of listenAddressesOf(config)) {
    const other = seen.find(earlier => collide(earlier.address, one.address));
    seen.push(one);
    if (other === undefined) continue;
    const line = document.line(other.path);
    report(one.path, `${one.name} has the same address as ${other.name} (line ${line})`);
  }
}

function listenAddressesOf({ admin, listeners }: Config): ListenAddress[] {
  const written = Object.entries(listeners).map(([name, { address }]) => ({
    name: `listener ${name}`,
    path: ['listeners', name, 'address'],
    address,
  }));
  const asked = typeof admin === 'object' && admin.address !== undefined && admin.address !== 'off';
  const all = asked
    ? [{ name: 'the admin API', path: ['admin', 'address'], address: admin.address ?? '' }, ...written]
    : written;
  return all.flatMap(one => {
    const address = parseAddress(one.address);
    return typeof address === 'string' ? [] : [{ ...one, address }];
  });
}

/** Whether binding both must fail. Port 0 is any free port; `[::]` takes IPv4 along, as Node listens. */
function collide(a: Address, b: Address): boolean {
  if (a.kind === 'unix') return b.kind === 'unix' && a.path === b.path;
  if (a.kind === 'fd') return b.kind === 'fd' && a.name === b.name;
  if (b.kind !== 'tcp' || a.port !== b.port || a.port === 0) return false;
  return (
    a.host.toLowerCase() === b.host.toLowerCase() || takesAlong(a.host, b.host) || takesAlong(b.host, a.host)
  );
}

function takesAlong(wide: string, narrow: string): boolean {
  return wide === '::' || (wide === '0.0.0.0' && !narrow.includes(':'));
}
