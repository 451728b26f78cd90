/**
 * HTTP/2 as bytes (RFC 9113 section 4, RFC 7541): frames of any type with any payload, field blocks that no encoder would
 * make, and what comes back, without anything in between that would refuse to send or to read it.
 */
import net, { type Socket } from 'node:net';

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
/** What a flag means depends on the type. */
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;
/** RFC 9113 section 7. */
export const CODE = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export type Field = readonly [name: string, value: string];

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

export function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** RFC 9113 section 6.5.1: the identifier, then the value. */
export function setting(identifier: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(identifier);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

/** Without indexing and without Huffman coding (RFC 7541 section 6.2.2). */
export function literal([name, value]: Field): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

/** Into the dynamic table of the peer (RFC 7541 section 6.2.1). */
export function literalToTable([name, value]: Field): Buffer {
  return Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length, 0x7f), bytes]);
}

/** RFC 7541 section 5.1, with a prefix of seven bits. */
function integer(value: number, prefixMax: number): Buffer {
  if (value < prefixMax) return Buffer.from([value]);
  const bytes = [prefixMax];
  let rest = value - prefixMax;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

export function block(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.map(literal));
}

/** Of a response: the first field of its block is `:status`. */
export function statusOf(bytes: Buffer): number {
  const first = bytes[0] ?? 0;
  const at = (first & 0xe0) === 0x20 ? 1 : 0; // behind a new size of the table (RFC 7541 section 6.3)
  const opening = bytes[at] ?? 0;
  if (opening >= 0x88 && opening <= 0x8e) return STATUS_TABLE[opening - 0x88] ?? 0;
  const length = bytes[at + 1] ?? 0;
  const value = bytes.subarray(at + 2, at + 2 + (length & 0x7f));
  return Number(length < 0x80 ? value.toString('latin1') : digits(value));
}

/** RFC 7541 appendix A, from entry 8 on. */
const STATUS_TABLE = [200, 204, 206, 304, 400, 404, 500];

/** Digits in the Huffman code (RFC 7541 appendix B): 0 to 2 have five bits, 3 to 9 six. */
function digits(bytes: Buffer): string {
  const bits = [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('');
  let found = '';
  for (let at = 0; at + 5 <= bits.length && found.length < 3; ) {
    const five = Number.parseInt(bits.slice(at, at + 5), 2);
    const isShort = five <= 2;
    found += isShort ? five : Number.parseInt(bits.slice(at, at + 6), 2) - 0x19 + 3;
    at += isShort ? 5 : 6;
  }
  return found;
}

/** How a stream ended, as seen from the client. */
export interface WireAnswer {
  /** 0: there was no response. */
  readonly status: number;
  readonly body: string;
  /** Of RST_STREAM; null: it ended with END_STREAM, or with its connection. */
  readonly resetCode: number | null;
}

export interface WireClient extends Disposable {
  readonly socket: Socket;
  send(...frames: readonly Buffer[]): void;
  /** The end of a stream, or of the connection before it. */
  answer(stream: number): Promise<WireAnswer>;
  /** Resolves when the peer has read everything that was sent before; with the code of its GOAWAY when it ended the connection instead. */
  ping(): Promise<'pong' | number>;
  /** When the connection is closed: the code of GOAWAY, of several the first that is an error; null without one. */
  readonly closed: Promise<number | null>;
  /** Frames that came, by type. */
  readonly received: ReadonlyMap<number, number>;
}

interface Stream {
  status: number;
  body: string;
  readonly promise: Promise<WireAnswer>;
  readonly resolve: (answer: WireAnswer) => void;
}

/** Its preface and an empty SETTINGS are sent, and SETTINGS of the peer are acknowledged unless `silent`. */
export function connectWire(
  { port }: { readonly port: number },
  {
    settings = [],
    silent = false,
  }: { readonly settings?: readonly Buffer[]; readonly silent?: boolean } = {},
): WireClient {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  const streams = new Map<number, Stream>();
  const received = new Map<number, number>();
  const pongs: ((result: 'pong' | number) => void)[] = [];
  let goAwayCode: number | null = null;
  let unread = Buffer.alloc(0);
  const { promise: closed, resolve: close } = Promise.withResolvers<number | null>();

  const streamOf = (id: number): Stream => {
    let stream = streams.get(id);
    if (stream === undefined) {
      stream = { status: 0, body: '', ...Promise.withResolvers<WireAnswer>() };
      streams.set(id, stream);
    }
    return stream;
  };
  const end = ({ status, body, resolve }: Stream, resetCode: number | null) =>
    resolve({ status, body, resetCode });

  const take = (type: number, flags: number, id: number, payload: Buffer): void => {
    received.set(type, (received.get(type) ?? 0) + 1);
    const isLast = (flags & FLAG.endStream) !== 0;
    switch (type) {
      case TYPE.headers: {
        const stream = streamOf(id);
        const status = stream.status === 0 ? statusOf(payload) : stream.status; // else trailers
        if (status >= 200) stream.status = status;
        if (isLast) end(stream, null);
        break;
      }
      case TYPE.data:
        streamOf(id).body += payload.toString('latin1');
        if (isLast) end(streamOf(id), null);
        break;
      case TYPE.resetStream:
        end(streamOf(id), payload.readUInt32BE(0));
        break;
      case TYPE.settings:
        if (!silent && (flags & FLAG.ack) === 0) socket.write(frame(TYPE.settings, FLAG.ack, 0));
        break;
      case TYPE.ping:
        if ((flags & FLAG.ack) !== 0) pongs.shift()?.('pong');
        break;
      case TYPE.goAway:
        goAwayCode ||= payload.readUInt32BE(4);
    }
  };

  socket.on('error', () => {}); // the peer may go at any time
  socket.on('data', (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk]);
    while (unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
      const length = 9 + unread.readUIntBE(0, 3);
      take(unread[3] ?? 0, unread[4] ?? 0, unread.readUInt32BE(5), unread.subarray(9, length));
      unread = unread.subarray(length);
    }
  });
  socket.on('close', () => {
    for (const stream of streams.values()) end(stream, null);
    for (const pong of pongs.splice(0)) pong(goAwayCode ?? CODE.noError);
    close(goAwayCode);
  });
  socket.write(PREFACE);
  socket.write(frame(TYPE.settings, 0, 0, Buffer.concat(settings)));
  return {
    socket,
    closed,
    received,
    send: (...frames) => void socket.write(Buffer.concat(frames)),
    answer(id) {
      if (socket.destroyed) end(streamOf(id), null);
      return streamOf(id).promise;
    },
    ping() {
      const { promise, resolve } = Promise.withResolvers<'pong' | number>();
      if (socket.destroyed) resolve(goAwayCode ?? CODE.noError);
      else {
        pongs.push(resolve);
        socket.write(frame(TYPE.ping, 0, 0, Buffer.alloc(8)));
      }
      return promise;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** Pseudo-header fields of a request; `:authority` is `app.test`. */
export function requestFields(method: string, path: string): readonly Field[] {
  return [
    [':method', method],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'app.test'],
  ];
}

/** A whole request without a body. */
export function getRequest(stream: number, path: string): Buffer {
  return frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, stream, block(requestFields('GET', path)));
}
