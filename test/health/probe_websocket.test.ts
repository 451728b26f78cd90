// What `probe.test.ts` does not ask: what the handshake looks like, and an endpoint that answers with a page.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import { test } from 'node:test';
import type { WebSocketProbe } from '../../src/health/probe_settings.ts';
import { askWebSocket } from '../../src/health/probe_websocket.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { firstWord } from './ask_server.ts';

checkLeaks();

const PROBE: WebSocketProbe = { kind: 'webSocket', path: '/chat?room=1', host: null, headers: [] };

const ask = (server: http.Server, settings = PROBE) =>
  firstWord(server, (socket, tell) => askWebSocket(settings, socket, '10.0.0.1:80', tell));

test('each handshake is one of RFC 6455, with a key of its own, and goes to the host and path of the configuration', async () => {
  const seen: (string | undefined)[][] = [];
  const server = () => {
    const made = http.createServer();
    made.on('upgrade', ({ url, headers }, socket) => {
      socket.on('error', () => {});
      socket.on('end', () => socket.end());
      socket.resume();
      const key = headers['sec-websocket-key'] ?? '';
      seen.push([url, headers.host, String(headers['x-probe']), headers['sec-websocket-version'], key]);
      // As RFC 6455 section 4.2.2 says it.
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(
        `HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
    });
    return made;
  };
  assert.deepEqual(await ask(server()), [true, 'handshake accepted']);
  const named = { ...PROBE, host: 'chat.test', headers: [['X-Probe', 'yes']] } as const;
  assert.deepEqual(await ask(server(), named), [true, 'handshake accepted']);
  assert.deepEqual(
    seen.map(facts => facts.slice(0, 4)),
    [
      ['/chat?room=1', '10.0.0.1:80', 'undefined', '13'],
      ['/chat?room=1', 'chat.test', 'yes', '13'],
    ],
  );
  const keys = seen.map(facts => facts[4] ?? '');
  assert.deepEqual(
    keys.map(key => Buffer.from(key, 'base64').length),
    [16, 16],
  );
  assert.notEqual(keys[0], keys[1]);
});

test('an endpoint that answers a handshake with a page has failed at once, however long the page is', async () => {
  const server = http.createServer((_, response) => {
    response.write('<html>'); // and it never ends
  });
  assert.deepEqual(await ask(server), [false, 'status 200']);
});

test('an endpoint that closes on a handshake has failed with the cause', async () => {
  const server = http.createServer();
  server.on('upgrade', (_, socket) => socket.destroy());
  assert.deepEqual(await ask(server), [false, 'ECONNRESET']);
});
