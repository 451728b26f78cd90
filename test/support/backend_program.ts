/**
 * A backend as a program of its own, to be killed and frozen: `node backend_program.ts PORT [BACKLOG]`. Told over its channel to
 * its parent what to do with requests; tells there what it has seen.
 */
import http from 'node:http';

export type Mode = 'well' | 'fail' | 'slow' | 'reset_in_body' | 'close_on_accept' | 'close_each_third';

export type Order = { readonly mode: Mode } | 'report';
export interface AdminViews {
  readonly requests: number;
  /** Requests with `x-id` that came more than once. */
  readonly repeated: readonly string[];
}

const SLOW_MS = 10_000;
let mode: Mode = 'well';
let requests = 0;
const seen = new Map<string, number>();
const served = new WeakMap<object, number>();

const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume();
  request.on('end', () => {
    requests++;
    const id = request.headers['x-id'];
    if (typeof id === 'string') seen.set(id, (seen.get(id) ?? 0) + 1);
    if (request.url === '/healthz') response.end('well');
    else answer(response);
  });
});
server.on('connection', socket => {
  if (mode === 'close_on_accept') socket.destroy();
});

function answer(response: http.ServerResponse): void {
  const { socket } = response;
  switch (mode) {
    case 'fail':
      response.writeHead(500).end('not well');
      return;
    case 'slow':
      setTimeout(() => response.end('slow'), SLOW_MS);
      return;
    case 'reset_in_body':
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('some of it', () => socket?.resetAndDestroy());
      return;
    case 'close_each_third': {
      const count = socket === null ? 0 : (served.get(socket) ?? 0) + 1;
      if (socket !== null) served.set(socket, count);
      response.end(String(process.pid), () => {
        if (count === 3) socket?.end(); // with FIN and without a word
      });
      return;
    }
    default:
      response.end(String(process.pid));
  }
}

process.on('message', (order: Order) => {
  if (order === 'report') {
    const repeated = [...seen].filter(([, count]) => count > 1).map(([id]) => id);
    process.send?.({ requests, repeated } satisfies AdminViews);
  } else mode = order.mode;
});
process.on('disconnect', () => process.exit());
const [port, backlog = '511'] = process.argv.slice(2);
server.listen({ port: Number(port), host: '127.0.0.1', backlog: Number(backlog) }, () =>
  process.send?.('ready'),
);
