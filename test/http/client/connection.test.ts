// What is known of a client's connection: whether it is in use, and when it may close.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { ClientConnection } from '../../../src/http/client/connection.ts';
import type { RequestContext } from '../../../src/http/request.ts';
import type { Connection } from '../../../src/net/connection.ts';

function connect() {
  const seen = { states: [] as string[], ends: 0, lastAnswers: 0 };
  const tracked = { ip: '192.0.2.1', tlsVersion: null, setState: (state: string) => seen.states.push(state) };
  const socket = {
    bytesRead: 0,
    destroySoon() {
      seen.ends++;
    },
  };
  const connection = new ClientConnection(
    tracked as unknown as Connection,
    socket as unknown as Socket,
    'http1',
  );
  return { connection, socket, seen };
}

test('a connection with several requests is idle when the last of them has ended, and says so once', () => {
  const { connection, seen } = connect();
  let idle = 0;
  connection.onIdle = () => {
    idle++;
  };
  connection.onRequestBegin();
  connection.onRequestBegin();
  connection.onRequestEnd();
  assert.deepEqual([seen.states.at(-1), idle, connection.active], ['active', 0, 1]);
  connection.onRequestEnd();
  assert.deepEqual([seen.states.at(-1), idle, connection.active], ['idle', 1, 0]);
  assert.equal(connection.requests, 2, 'counted for requestsPerConnection');
  assert.equal(seen.ends, 0, 'it is kept for the next request');
});

test('a connection from which nothing more is read answers its requests, says that it closes, and closes after the last one', () => {
  const { connection, seen } = connect();
  connection.onRequestBegin();
  connection.onRequestBegin();
  const client = {
    closeAfterAnswer() {
      seen.lastAnswers++;
    },
  };
  connection.latest = { client } as unknown as RequestContext;
  connection.closeWhenIdle();
  assert.equal(seen.lastAnswers, 1, 'the last response says Connection: close');
  connection.onRequestEnd();
  assert.equal(seen.ends, 0, 'one response is still to be written');
  connection.onRequestEnd();
  assert.equal(seen.ends, 1);
});

test('bytes behind a request are noticed, those of the requests before it do not count', () => {
  const { connection, socket } = connect();
  socket.bytesRead = 100;
  assert(connection.hasRead(100));
  connection.onRequestBegin();
  connection.onRequestEnd();
  socket.bytesRead = 160;
  assert(connection.hasRead(60));
  socket.bytesRead = 161;
  assert(!connection.hasRead(60), 'one byte more than the request');
});
