/** HTTP/2 frame by frame (RFC 9113 section 4), for what no client library would send. */
import net, { type Socket } from 'node:net';
import { block, FLAG, frame, number32, PREFACE, requestFields, setting, TYPE } from './http2_wire.ts';

const INITIAL_WINDOW_SIZE = 4;

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
    onData,
    allowHalfOpen = false,
  }: {
    readonly onData?: (bytes: number) => void;
    readonly initialWindowBytes?: number;
    readonly onReset?: FrameObserver['onReset'];
    /** It does not close when the other side does. */
    readonly allowHalfOpen?: boolean;
  } = {},
): Http2Frames {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen });
  socket.write(PREFACE);
  return speakFrames(socket, 0, initialWindowBytes, {
    onHeaders() {},
    onPing() {},
    onReset: (stream, code) => onReset?.(stream, code),
    onData: bytes => onData?.(bytes),
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
      onData() {},
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
  onData(bytes: number): void;
}

function speakFrames(
  socket: Socket,
  skip: number,
  initialWindowBytes: number | undefined,
  { onHeaders, onPing, onReset, onData }: Received,
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
      if (type === TYPE.ping && flags === FLAG.ack) resolve();
      if (type === TYPE.ping && flags !== FLAG.ack) onPing(received.subarray(9, 17));
      if (type === TYPE.resetStream) onReset(received.readUInt32BE(5), received.readUInt32BE(9));
      if (type === TYPE.data) onData(received.readUIntBE(0, 3));
      if (type === TYPE.headers) onHeaders(received.readUInt32BE(5));
      received = received.subarray(9 + received.readUIntBE(0, 3));
    }
  });
  const send = (type: number, flags: number, stream: number, payload: Buffer) =>
    void socket.write(frame(type, flags, stream, payload));
  const window =
    initialWindowBytes === undefined ? Buffer.alloc(0) : setting(INITIAL_WINDOW_SIZE, initialWindowBytes);
  send(TYPE.settings, 0, 0, window);
  return {
    socket,
    ponged,
    goAway: () => send(TYPE.goAway, 0, 0, Buffer.alloc(8)),
    ping: () => send(TYPE.ping, 0, 0, Buffer.alloc(8)),
    pong: payload => send(TYPE.ping, FLAG.ack, 0, payload),
    headers(stream, method, path, endStream) {
      const fields = block(requestFields(method, path));
      send(TYPE.headers, FLAG.endHeaders | (endStream ? FLAG.endStream : 0), stream, fields);
    },
    fields: (stream, list) => send(TYPE.headers, FLAG.endHeaders | FLAG.endStream, stream, block(list)),
    status: (stream, status) =>
      send(TYPE.headers, FLAG.endHeaders, stream, block([[':status', String(status)]])),
    data: (stream, bytes) => send(TYPE.data, 0, stream, Buffer.alloc(bytes, 'x')),
    resetStream: (stream, code) => send(TYPE.resetStream, 0, stream, number32(code)),
    widen: bytes => send(TYPE.windowUpdate, 0, 0, number32(bytes)),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
