/** `fairlead demo`: the proxy in front of three embedded backends, with a list of things to try. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { isSea } from 'node:sea';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { readPackageFile } from '../lifecycle/package_files.ts';
import type { Signals } from '../lifecycle/signals.ts';
import { http } from '../net/node_http.ts';
import { EXIT } from './exit_codes.ts';
import { runProxy } from './run.ts';

const SLOW_MS_DEFAULT = 500;
const BROKEN_MS = 20_000;

/** URLs are quoted, because zsh takes a ? for a file name pattern; nothing follows a command, so that its whole line can be pasted. */
function thingsToTry(file: string): string {
  const fairlead = isSea() ? process.execPath : 'npx fairlead';
  return `
Fairlead demo: http://127.0.0.1:8080 in front of three backends. The indented lines can be pasted as they are.

A response with its request id, a slow one, and 504, because the route allows one second (see Proxy-Status):
  curl -i 'http://127.0.0.1:8080/fast/hello'
  curl -i 'http://127.0.0.1:8080/slow?ms=300'
  curl -i 'http://127.0.0.1:8080/slow?ms=3000'
Fails half of the time, and retries hide it (see the attempts in this log):
  curl -i 'http://127.0.0.1:8080/flaky'
A redirect; 404 no_route, from the proxy rather than a backend, as text and as JSON:
  curl -i 'http://127.0.0.1:8080/old?a=1'
  curl -i 'http://127.0.0.1:8080/nowhere'
  curl -i -H 'Accept: application/json' 'http://127.0.0.1:8080/nowhere'
Server-sent events, and WebSocket, which every backend echoes:
  curl -N 'http://127.0.0.1:8080/fast/events'
  ${webSocketCommand()}
Which route a request would take, and why:
  ${fairlead} explain --config ${file} 'http://127.0.0.1:8080/slow'

Change ${file}, a timeout or a route, and watch it reload in this log.

This stops a backend for 20 seconds. Send another request, and find out why it fails: on the status page, in this log, or with
"${fairlead} explain --config ${file} --request ID"; the ID is in the response.
  curl -X POST 'http://127.0.0.1:8080/fast/break'

The status page, problems first: http://127.0.0.1:9901/
The same as JSON: http://127.0.0.1:9901/status (also /metrics, /readyz, /plan, /requests)

Ctrl-C drains and stops.

`;
}

/** With the Node that runs this, which has WebSocket; the single executable cannot run a script, so there it is curl. */
function webSocketCommand(): string {
  const url = "'http://127.0.0.1:8080/fast/echo'";
  const head = "-H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='";
  if (isSea()) return `curl -i -m 2 -H 'Connection: Upgrade' -H 'Upgrade: websocket' ${head} ${url}`;
  const script =
    'const s = new WebSocket("ws://127.0.0.1:8080/fast/echo"); ' +
    's.onopen = () => s.send("hello"); s.onmessage = m => { console.log(m.data); s.close() }';
  return `${shortest(process.execPath)} -e '${script}'`;
}

/** Relative to the working directory when that is shorter. */
function shortest(file: string): string {
  const from = relative('.', file);
  return from.length < file.length ? from : file;
}

export async function runDemo(signals: Signals): Promise<number> {
  const servers = [await serve(fast), await serve(slow), await serve(flaky)];
  const [fastPort, slowPort, flakyPort] = servers.map(server =>
    String((server.address() as AddressInfo).port),
  );
  Object.assign(process.env, {
    DEMO_FAST_PORT: fastPort,
    DEMO_SLOW_PORT: slowPort,
    DEMO_FLAKY_PORT: flakyPort,
  });
  const file = configFile();
  const exitCode = await runProxy(file, signals, () => process.stderr.write(thingsToTry(shortest(file))));
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  return exitCode === EXIT.portTaken ? portHint() : exitCode;
}

/** The demo's file in the checkout or package, so that it can be edited. The single executable writes a copy to a temporary folder. */
function configFile(): string {
  if (!isSea()) return fileURLToPath(new URL('../../examples/demo.yaml', import.meta.url));
  const file = join(mkdtempSync(join(tmpdir(), 'fairlead-demo-')), 'demo.yaml');
  writeFileSync(file, readPackageFile('examples/demo.yaml'));
  return file;
}

function portHint(): number {
  process.stderr.write(
    'fairlead: the demo needs ports 8080 and 9901 on 127.0.0.1; for other ports: fairlead proxy --help\n',
  );
  return EXIT.portTaken;
}

function serve(respond: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = http.createServer((request, response) => {
    if (request.url === '/healthz') response.end('ok\n');
    else if (request.method === 'POST' && request.url?.endsWith('/break') === true)
      void breakDown(server, response);
    else respond(request, response);
  });
  const echo = new WebSocketServer({ server });
  echo.on('connection', socket => socket.on('message', (data, binary) => socket.send(data, { binary })));
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** Stops the backend as if it had crashed, and brings it back on the same port after `BROKEN_MS`. */
async function breakDown(server: Server, response: ServerResponse): Promise<void> {
  const { port } = server.address() as AddressInfo;
  response.on('finish', () => server.closeAllConnections());
  response.end(`gone for ${BROKEN_MS / 1_000} s\n`);
  server.close();
  await wait(BROKEN_MS, undefined, { ref: false });
  server.listen(port, '127.0.0.1');
}

function fast(request: IncomingMessage, response: ServerResponse): void {
  if (request.url?.startsWith('/fast/events') === true) void sendEvents(response);
  else describe(request, response, 'fast');
}

async function slow(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = Number(new URL(request.url ?? '/', 'http://demo').searchParams.get('ms') ?? SLOW_MS_DEFAULT);
  await wait(Number.isFinite(asked) ? Math.min(Math.max(asked, 0), 10_000) : SLOW_MS_DEFAULT);
  describe(request, response, 'slow');
}

let flakyRequests = 0;
function flaky(request: IncomingMessage, response: ServerResponse): void {
  flakyRequests++;
  if (flakyRequests % 2 === 0) request.socket.destroy();
  else describe(request, response, 'flaky');
}

function describe(request: IncomingMessage, response: ServerResponse, backend: string): void {
  response.setHeader('content-type', 'application/json');
  response.end(
    `${JSON.stringify({ backend, method: request.method, url: request.url, headers: request.headers }, null, 2)}\n`,
  );
}

async function sendEvents(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let count = 1; count <= 10 && !response.destroyed; count++) {
    response.write(`data: ${count}\n\n`);
    await wait(1_000);
  }
  response.end();
}
