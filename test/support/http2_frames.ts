/** HTTP/2 frame by frame (RFC 9113 section 4), for what no client library would send. */
import net, { type Socket } from 'node:net';

const TYPES = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const END_STREAM = 1;
const ACK = 1;
const INITIAL_WINDOW_SIZE = 4;
const END_HEADERS = 4;

/** One end of a connection in clear; what it sends is the same on both ends. */
export interface Http2Frames extends Disposable {
  readonly socket: Socket;
  /** Of a request. */
  headers(stream: number, method: string, path: string, endStream: boolean): void;
  /** Of a request without a body: these fields, whatever they are, in Latin-1. */
  fields(stream: number, list: readonly (readonly [name: string, value: string])[]): void;
  /** Of an answer. */
  status(stream: number, status: number): void;
  data(stream: number, bytes: number): void;
  /** 0 is NO_ERROR, 8 is CANCEL. */
  resetStream(stream: number, code: number): void;
  /** So many bytes more may come on the connection, all streams together. */
  widen(bytes: number): void;
  ping(): void;
  /** Answers a PING of the peer. */
  pong(payload: Buffer): void;
  /** NO_ERROR; nothing of the peer was processed. */
  goAway(): void;
  /** Resolves with the answer to `ping`: the peer has read what was sent before. */
  readonly ponged: Promise<void>;
}

/** A client with its preface sent; its streams have odd numbers. */
export function connectFrames(
  { port }: { readonly port: number },
  {
    initialWindowBytes,
    onReset,
  }: { readonly initialWindowBytes?: number; readonly onReset?: FrameObserver['onReset'] } = {},
): Http2Frames {
  const socket = net.connect(port, '127.0.0.1');
  socket.write(PREFACE);
  return speakFrames(socket, 0, initialWindowBytes, {
    onHeaders() {},
    onPing() {},
    onReset: (stream, code) => onReset?.(stream, code),
  });
}

/** What a backend is told of besides its streams. */
export interface FrameObserver {
  readonly onPing?: (frames: Http2Frames, payload: Buffer) => void;
  readonly onReset?: (stream: number, code: number) => void;
}

/** A backend that is told of each stream when its head is there. It answers nothing by itself. */
export async function serveFrames(
  onStream: (frames: Http2Frames, stream: number) => void,
  { onPing, onReset }: FrameObserver = {},
): Promise<AsyncDisposable & { readonly address: string }> {
  const all = new Set<Http2Frames>();
  const server = net.createServer(socket => {
    const frames = speakFrames(socket, PREFACE.length, undefined, {
      onHeaders: stream => onStream(frames, stream),
      onPing: payload => onPing?.(frames, payload),
      onReset: (stream, code) => onReset?.(stream, code),
    });
    all.add(frames);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const { socket } of all) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

interface Received {
  onHeaders(stream: number): void;
  onPing(payload: Buffer): void;
  onReset(stream: number, code: number): void;
}

function speakFrames(
  socket: Socket,
  skip: number,
  initialWindowBytes: number | undefined,
  { onHeaders, onPing, onReset }: Received,
): Http2Frames {
  socket.on('error', () => {}); // the peer may go at any time
  const { promise: ponged, resolve } = Promise.withResolvers<void>();
  let toSkip = skip;
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const skipped = Math.min(toSkip, received.length);
    toSkip -= skipped;
    received = received.subarray(skipped);
    while (received.length >= 9 && received.length >= 9 + received.readUIntBE(0, 3)) {
      const [type, flags] = [received[3], received[4]];
      if (type === TYPES.ping && flags === ACK) resolve();
      if (type === TYPES.ping && flags !== ACK) onPing(received.subarray(9, 17));
      if (type === TYPES.resetStream) onReset(received.readUInt32BE(5), received.readUInt32BE(9));
      if (type === TYPES.headers) onHeaders(received.readUInt32BE(5));
      received = received.subarray(9 + received.readUIntBE(0, 3));
    }
  });
  const send = (type: number, flags: number, stream: number, payload: Buffer) => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    socket.write(Buffer.concat([head, payload]));
  };
  const block = (fields: Readonly<Record<string, string>>) =>
    Buffer.concat(Object.entries(fields).map(([name, value]) => literal(name, value)));
  const window = initialWindowBytes === undefined ? Buffer.alloc(0) : initialWindow(initialWindowBytes);
  send(TYPES.settings, 0, 0, window);
  return {
    socket,
    ponged,
    goAway: () => send(TYPES.goAway, 0, 0, Buffer.alloc(8)),
    ping: () => send(TYPES.ping, 0, 0, Buffer.alloc(8)),
    pong: payload => send(TYPES.ping, ACK, 0, payload),
    headers(stream, method, path, endStream) {
      const fields = { ':method': method, ':scheme': 'http', ':path': path, ':authority': 'app.test' };
      send(TYPES.headers, END_HEADERS | (endStream ? END_STREAM : 0), stream, block(fields));
    },
    fields: (stream, list) =>
      send(
        TYPES.headers,
        END_HEADERS | END_STREAM,
        stream,
        Buffer.concat(list.map(([name, value]) => literal(name, value))),
      ),
    status: (stream, status) =>
      send(TYPES.headers, END_HEADERS, stream, block({ ':status': String(status) })),
    data: (stream, bytes) => send(TYPES.data, 0, stream, Buffer.alloc(bytes, 'x')),
    resetStream(stream, code) {
      const payload = Buffer.alloc(4);
      payload.writeUInt32BE(code);
      send(TYPES.resetStream, 0, stream, payload);
    },
    widen(bytes) {
      const payload = Buffer.alloc(4);
      payload.writeUInt32BE(bytes);
      send(TYPES.windowUpdate, 0, 0, payload);
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** RFC 9113 section 6.5.1: the identifier, then the value. */
function initialWindow(bytes: number): Buffer {
  const setting = Buffer.alloc(6);
  setting.writeUInt16BE(INITIAL_WINDOW_SIZE);
  setting.writeUInt32BE(bytes, 2);
  return setting;
}

/** Without indexing and without Huffman coding (RFC 7541 section 6.2.2). */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name, 'latin1'),
    Buffer.from([value.length]),
    Buffer.from(value, 'latin1'),
  ]);
}
