/** Listeners: addresses that do not overlap, and protocols that fit together. */
import { type Address, parseAddress } from '../../net/address.ts';
import type { ListenerConfig } from '../schema/listener.ts';
import { presetOf } from '../schema/presets.ts';
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
    checkPreset(path, listener, relations);
    if (listener.h2c === true && listener.tls !== undefined) {
      report(
        [...path, 'h2c'],
        'h2c is HTTP/2 without TLS; this listener has tls and offers HTTP/2 by ALPN, so remove h2c',
      );
    }
    if (listener.reusePort === true && isOtherThanTcp(listener.address)) {
      report(
        [...path, 'reusePort'],
        'reusePort is for TCP ports, and this address is not one; remove reusePort',
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

/** A preset knows the balancer, and not always where it stands. */
function checkPreset(path: Path, listener: ListenerConfig, { report, isLost }: Relations): void {
  const preset = presetOf(listener);
  if (preset === null) return;
  const name = listener.preset;
  if (
    preset.trustedProxies === null &&
    listener.trustedProxies === undefined &&
    !isLost([...path, 'trustedProxies'])
  )
    report(
      [...path, 'preset'],
      `preset ${name} needs trustedProxies, the subnets of the load balancer such as [10.0.0.0/16]: without it, the load balancer would be the client of every request`,
    );
  if (preset.proxyProtocol && listener.proxyProtocol === undefined && !isLost([...path, 'proxyProtocol']))
    report(
      [...path, 'preset'],
      `preset ${name} needs proxyProtocol.from, the subnets of the load balancer such as { from: [10.0.0.0/16] }: only from there a PROXY protocol header is believed`,
    );
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

/** Whether binding both must fail. Port 0 is any free port; `[::]` includes IPv4, as Node listens. */
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
