/**
 * A backend that keeps every byte of every connection and reads it by the letter. Each request is answered with its own
 * target, so that a client sees whether a response is its own; bytes that are no canonical request are `violations`.
 */
import net, { type AddressInfo, type Socket } from 'node:net';
import { readStrictRequest, type StrictRequest } from './strict_request.ts';

export interface RecordedRequest extends StrictRequest {
  /** From 0, in the order in which connections came. */
  readonly connection: number;
}

/** What is sent for a request; null: the response that names the target. */
export type Script = (request: RecordedRequest, socket: Socket) => Buffer | string | null;

export interface RecordingBackend extends AsyncDisposable {
  readonly address: string;
  /** Whole requests, in order. */
  readonly requests: readonly RecordedRequest[];
  /** Targets of requests whose head came and whose end never did, with the connection. */
  readonly begun: () => readonly string[];
  readonly violations: readonly string[];
  /** All bytes of each connection. */
  readonly received: readonly Buffer[];
  /** Resolves when no connection is open. */
  noConnections(): Promise<void>;
}

export async function startRecordingBackend(script: Script = () => null): Promise<RecordingBackend> {
  const requests: RecordedRequest[] = [];
  const violations: string[] = [];
  const received: Buffer[] = [];
  const begun = new Map<number, string>();
  const sockets = new Set<Socket>();
  let onClosed = () => {};

  const server = net.createServer({ noDelay: true }, socket => {
    const connection = received.push(Buffer.alloc(0)) - 1;
    let unread = Buffer.alloc(0);
    sockets.add(socket);
    socket.on('error', () => {}); // the proxy may go at any time
    socket.on('close', () => {
      sockets.delete(socket);
      onClosed();
    });
    const readAll = () => {
      while (unread.length > 0) {
        const result = readStrictRequest(unread);
        if (result.kind === 'more') {
          if (result.target !== null) begun.set(connection, result.target);
          return;
        }
        if (result.kind === 'wrong') {
          violations.push(`${result.why} in ${JSON.stringify(unread.toString('latin1'))}`);
          socket.destroy();
          return;
        }
        unread = unread.subarray(result.bytes);
        begun.delete(connection);
        const request = { ...result.request, connection };
        requests.push(request);
        socket.write(script(request, socket) ?? ownResponse(request));
      }
    };
    socket.on('data', (chunk: Buffer) => {
      received[connection] = Buffer.concat([received[connection] ?? Buffer.alloc(0), chunk]);
      unread = Buffer.concat([unread, chunk]);
      readAll();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    begun: () => [...begun.values()],
    violations,
    received,
    noConnections: () =>
      new Promise(resolve => {
        onClosed = () => {
          if (sockets.size === 0) resolve();
        };
        onClosed();
      }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** 200 with the target as its body. */
export function ownResponse({ method, target }: Pick<StrictRequest, 'method' | 'target'>): string {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(target, 'latin1')}\r\n\r\n`;
  return method === 'HEAD' ? head : head + target;
}
