/** PROXY protocol headers as load balancers write them (haproxy.org, doc/proxy-protocol.txt). */
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

export function proxyV1(source: string, port = 51_000, destinationPort = 443): Buffer {
  const [family, destination] = source.includes(':') ? ['TCP6', '2001:db8::99'] : ['TCP4', '192.0.2.99'];
  return Buffer.from(`PROXY ${family} ${source} ${destination} ${port} ${destinationPort}\r\n`, 'latin1');
}

export interface ProxyV2Parts {
  readonly version?: number;
  readonly command?: number;
  /** Family and transport: 0x11 is TCP over IPv4. */
  readonly family?: number;
  readonly addresses?: Buffer;
  readonly tlvs?: Buffer;
  /** What the header says it is, instead of the truth. */
  readonly length?: number;
}

export function proxyV2(parts: ProxyV2Parts = {}): Buffer {
  const { version = 2, command = 1, family = 0x11, tlvs = Buffer.alloc(0) } = parts;
  const addresses = parts.addresses ?? ipv4Addresses('203.0.113.7', 443);
  const fixed = Buffer.alloc(16);
  SIGNATURE.copy(fixed);
  fixed[12] = (version << 4) | command;
  fixed[13] = family;
  fixed.writeUInt16BE(parts.length ?? addresses.length + tlvs.length, 14);
  return Buffer.concat([fixed, addresses, tlvs]);
}

export function ipv4Addresses(source: string, destinationPort: number): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(51_000, 0);
  ports.writeUInt16BE(destinationPort, 2);
  return Buffer.concat([Buffer.from(source.split('.').map(Number)), Buffer.from([192, 0, 2, 99]), ports]);
}

/** `source` as 32 hexadecimal digits. */
export function ipv6Addresses(source: string, destinationPort: number): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(51_000, 0);
  ports.writeUInt16BE(destinationPort, 2);
  return Buffer.concat([Buffer.from(source, 'hex'), Buffer.alloc(16, 1), ports]);
}
