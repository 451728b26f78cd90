/** Frames of HTTP/2 as bytes (RFC 9113 section 4), also those that no well-behaved client sends. */

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const TYPES = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  ping: 6,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Without indexing and without Huffman coding (RFC 7541 section 6.2.2); names and values below 127 bytes. */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
}

export function requestBlock(method: string, path: string): Buffer {
  const fields = { ':method': method, ':scheme': 'http', ':path': path, ':authority': 'app.test' };
  return Buffer.concat(Object.entries(fields).map(([name, value]) => literal(name, value)));
}

/** The same large field again and again, one byte each (RFC 7541 section 6.1): few bytes become many. */
export function bombBlock(path: string): Buffer {
  const value = Buffer.alloc(3_900, 'b');
  // Literal with incremental indexing, a new name of one byte, and a length of 3900 in 7 bits and more.
  const entry = Buffer.concat([Buffer.from([0x40, 1, 0x61, 0x7f]), varint(value.length - 127), value]);
  return Buffer.concat([requestBlock('GET', path), entry, Buffer.alloc(8_000, 0xbe)]);
}

function varint(number: number): Buffer {
  const bytes: number[] = [];
  let left = number;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}

export function settings(pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * pairs.length);
  for (const [at, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, 6 * at);
    payload.writeUInt32BE(value, 6 * at + 2);
  }
  return frame(TYPES.settings, 0, 0, payload);
}
