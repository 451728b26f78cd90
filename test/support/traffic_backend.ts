/**
 * A backend for traffic of every kind (traffic.ts): short answers, answers that are held for a moment, downloads, uploads, event
 * streams and WebSockets. What lasts goes on, a beat at a time, until `finish`. It remembers which requests reached it.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

const BEAT_MS = 50;
/** Long enough for many streams of one session to be open at once. */
const HELD_MS = 400;
export const DOWNLOAD_CHUNK = Buffer.alloc(4_096, 'd');

export class TrafficBackend implements AsyncDisposable {
  /** The `X-Id` of every short request that came. */
  readonly seen = new Set<string>();
  /** Bytes of each download so far, by `X-Id`. */
  readonly sentBytes = new Map<string, number>();
  readonly #server = http.createServer((request, response) => this.#serve(request, response));
  readonly #webSockets = new WebSocketServer({ noServer: true });
  readonly #tunnels = new Set<WebSocket>();
  readonly #downloads = new Map<ServerResponse, string>();
  readonly #eventStreams = new Map<ServerResponse, number>();
  readonly #timer = setInterval(() => this.#beat(), BEAT_MS);

  static async start(): Promise<TrafficBackend> {
    const backend = new TrafficBackend();
    const server = backend.#server;
    server.on('upgrade', (request, socket, head) => {
      backend.#webSockets.handleUpgrade(request, socket, head, tunnel => {
        backend.#tunnels.add(tunnel);
        tunnel.on('error', () => {});
        tunnel.on('close', () => backend.#tunnels.delete(tunnel));
        tunnel.on('message', (data, isBinary) => tunnel.send(data, { binary: isBinary }));
      });
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return backend;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Downloads and event streams come to their end; tunnels and uploads are ended by their clients. */
  finish(): void {
    for (const response of this.#downloads.keys()) response.end();
    for (const response of this.#eventStreams.keys()) response.end('data: the end\n\n');
    this.#downloads.clear();
    this.#eventStreams.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const tunnel of this.#tunnels) tunnel.terminate();
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const id = String(request.headers['x-id']);
    response.on('error', () => {});
    switch (request.url) {
      case '/lasting/download':
        this.#downloads.set(response, id);
        response.on('close', () => this.#downloads.delete(response));
        response.writeHead(200, { 'content-type': 'application/octet-stream' }).flushHeaders();
        break;
      case '/lasting/events':
        this.#eventStreams.set(response, 0);
        response.on('close', () => this.#eventStreams.delete(response));
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        break;
      case '/lasting/upload':
        void countBytes(request).then(bytes => response.end(String(bytes)));
        break;
      case '/held':
        this.seen.add(id);
        setTimeout(() => response.end(id), HELD_MS);
        break;
      default:
        this.seen.add(id);
        response.end(id);
    }
  }

  #beat(): void {
    for (const [response, id] of this.#downloads) {
      response.write(DOWNLOAD_CHUNK);
      this.sentBytes.set(id, (this.sentBytes.get(id) ?? 0) + DOWNLOAD_CHUNK.length);
    }
    for (const [response, number] of this.#eventStreams) {
      response.write(`data: ${number}\n\n`);
      this.#eventStreams.set(response, number + 1);
    }
  }
}

async function countBytes(request: IncomingMessage): Promise<number> {
  let bytes = 0;
  try {
    for await (const chunk of request) bytes += (chunk as Buffer).length;
  } catch {
    return -1; // cut: the client finds that it is not what it has sent
  }
  return bytes;
}
