/**
 * node:http in front of undici's `Pool.dispatch`, and next to nothing between: no routes, limits, metrics or logs.
 * Not a product, but the floor for anything that is built from these two parts.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';
import { announcePort, backendPort, listenOnLoopback } from '../announce.ts';

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

function forwardable(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const kept: IncomingHttpHeaders = {};
  for (const name in headers) if (!HOP_BY_HOP.has(name)) kept[name] = headers[name];
  return kept;
}

class Answer implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#response.writeHead(status, forwardable(headers));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    if (this.#response.headersSent) this.#response.destroy();
    else this.#response.writeHead(502).end();
  }
}

const pool = new Pool(`http://127.0.0.1:${backendPort()}`);
const server = createServer((request, response) => {
  const method = request.method ?? 'GET';
  const body = method === 'GET' || method === 'HEAD' ? null : request;
  const headers = forwardable(request.headers);
  pool.dispatch({ path: request.url ?? '/', method, headers, body }, new Answer(response));
});
announcePort(await listenOnLoopback(server));
