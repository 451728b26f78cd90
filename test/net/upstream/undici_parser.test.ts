import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { Client } from 'undici';
import { readPastContinue } from '../../../src/net/upstream/undici_parser.ts';
import { answer } from '../../support/backend_behaviours.ts';
import { startBackend } from '../../support/scripted_backend.ts';

test('this undici keeps its parser where we look for it: after an update that moves it, 100 Continue would be 502', async () => {
  await using backend = await startBackend(answer());
  const sockets: net.Socket[] = [];
  const client = new Client('http://backend', {
    connect: (_options, callback) => {
      const socket = net.connect(backend.port, '127.0.0.1', () => callback(null, socket));
      sockets.push(socket);
    },
  });
  const found = new Promise<boolean>(resolve => {
    client.on('connect', () => resolve(sockets.every(readPastContinue)));
  });
  const response = await client.request({ path: '/', method: 'GET' });
  await response.body.dump();
  assert.equal(await found, true);
  await client.destroy();
});

test('a socket that undici does not hold has no parser', () => {
  assert.equal(readPastContinue(new net.Socket()), false);
});
