/** IP addresses as texts: how proxies write them, in one form each, and what counts as one client. */
import { isIP } from 'node:net';

/**
 * The address in an element of `X-Forwarded-For`, or in a node of `Forwarded` (RFC 7239 section 6, whose ports may be hidden): `ip`,
 * `ip:port` (Azure Application Gateway), `[v6]`, `[v6]:port`. Null: none. No zone: it means nothing on another machine.
 */
export function addressOfNode(node: string): string | null {
  const match = /^(?:\[([^\]]*)\]|([0-9.]+))(?::(?:\d{1,5}|_[A-Za-z0-9._-]+))?$/.exec(node);
  const bracketed = match?.[1];
  const ip = bracketed ?? match?.[2] ?? node;
  const family = isIP(ip);
  if (family === 0 || ip.includes('%') || (bracketed !== undefined && family !== 6)) return null;
  return plainAddress(ip);
}

/** IPv4 in its plain form, also when it is mapped into IPv6, however that is spelt (RFC 4291 section 2.5.5.2). */
export function plainAddress(ip: string): string {
  if (!/ffff:/i.test(ip) || isIP(ip) !== 6 || ip.includes('%')) return ip;
  const shortest = new URL(`http://[${ip}]`).hostname;
  const [, high, low] = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(shortest) ?? [];
  if (high === undefined || low === undefined) return ip;
  const [left, right] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [left >> 8, left & 0xff, right >> 8, right & 0xff].join('.');
}

/** What one client can hold: an IPv4 address, or a /64 network of IPv6. */
export function clientKey(ip: string): string {
  if (!ip.includes(':')) return ip;
  const plain = plainAddress(ip).toLowerCase();
  if (!plain.includes(':')) return plain;
  const [left = '', right] = plain.replace(/[\d.]+\.\d+$/, '0:0').split('::');
  const groups = left === '' ? [] : left.split(':');
  if (right !== undefined) {
    const tail = right === '' ? [] : right.split(':');
    while (groups.length + tail.length < 8) groups.push('0');
    groups.push(...tail);
  }
  const network = groups.slice(0, 4).map(group => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}
