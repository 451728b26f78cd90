/** The backend of the attacked proxy: small and large responses, uploads, and WebSocket handshakes. */
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { announcePort, listenOnLoopback } from '../announce.ts';

const SMALL = Buffer.alloc(1_024, 'x');
const PIECE = Buffer.alloc(64 * 1_024, 'x');
const LARGE_PIECES = 1_024;

function* pieces() {
  for (let piece = 0; piece < LARGE_PIECES; piece++) yield PIECE;
}

const server = createServer({ keepAliveTimeout: 120_000, requestTimeout: 0 }, (request, response) => {
  request.resume();
  request.on('error', () => {});
  response.on('error', () => {});
  if (request.url === '/large')
    Readable.from(pieces())
      .on('error', () => {})
      .pipe(response);
  else request.on('end', () => response.end(SMALL));
});
server.on('upgrade', (request, socket) => {
  socket.on('error', () => {});
  if (request.url === '/silent') return; // never responds to the handshake
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  socket.resume();
});

announcePort(await listenOnLoopback(server, 4_096));
