/**
 * A WebSocket handshake (RFC 6455 section 4). Accepted with the right key is healthy; the connection is then closed
 * cleanly.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { errorCode } from '../resilience/error_code.ts';
import { type ProbeCallback, USER_AGENT, type WebSocketProbe } from './probe_settings.ts';

/** Not imported, for the reason in `net/node_http.ts`. */
const http = process.getBuiltinModule('node:http');

/** RFC 6455 section 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Close frame 1000, normal closure, masked with zeros as a client must (RFC 6455 section 5.3). */
const CLOSE = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 1_000 >> 8, 1_000 & 0xff]);

export function askWebSocket(
  settings: WebSocketProbe,
  socket: Socket,
  authority: string,
  report: ProbeCallback,
): void {
  const key = randomBytes(16).toString('base64');
  const request = http.request({
    path: settings.path,
    headers: [
      ...['Host', settings.host ?? authority, 'User-Agent', USER_AGENT],
      ...['Connection', 'Upgrade', 'Upgrade', 'websocket'],
      ...['Sec-WebSocket-Version', '13', 'Sec-WebSocket-Key', key],
      ...settings.headers.flat(),
    ],
    setHost: false,
    createConnection: () => socket,
  });
  request.on('error', error => report(false, errorCode(error)));
  request.on('response', response => {
    response.resume();
    report(false, `status ${response.statusCode}`);
  });
  request.on('upgrade', ({ headers }) => {
    const isRight = headers['sec-websocket-accept'] === acceptOf(key);
    if (isRight) socket.write(CLOSE, () => report(true, 'handshake accepted'));
    else report(false, 'wrong Sec-WebSocket-Accept');
  });
  request.end();
}

function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${ACCEPT_SUFFIX}`).digest('base64');
}
