// What is known of a client's connection: whether it is in use, and when it may close.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { ClientConnection } from '../../../src/http/client/connection.ts';
import type { Responder } from '../../../src/http/responder.ts';
import type { Connection } from '../../../src/net/connection.ts';

function connect(protocol: 'http1' | 'http2' = 'http1') {
  const seen = { states: [] as string[], ends: 0, lastAnswers: 0, destroyed: 0 };
  const tracked = { ip: '192.0.2.1', tls: null, setState: (state: string) => seen.states.push(state) };
  const socket = {
    bytesRead: 0,
    bytesWritten: 0,
    writableLength: 0,
    destroy() {
      seen.destroyed++;
    },
    destroySoon() {
      seen.ends++;
    },
  };
  const connection = new ClientConnection(
    tracked as unknown as Connection,
    socket as unknown as Socket,
    protocol,
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
  const latest = {
    closeAfterResponse() {
      seen.lastAnswers++;
    },
  };
  connection.latest = latest as unknown as Responder;
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

test('at the end a kept connection is closed when nothing has moved on it for 250 ms, not before: a request may be on its way', () => {
  const { connection, socket, seen } = connect();
  connection.drain(1_000);
  connection.drain(1_249);
  assert.equal(seen.ends, 0);
  socket.bytesRead = 10; // half a head
  connection.drain(1_250);
  connection.drain(1_499);
  assert.equal(seen.ends, 0, 'what came begins the pause anew');
  connection.drain(1_500);
  assert.deepEqual([seen.ends, seen.destroyed], [1, 0]);
});

test('at the end a request in flight is answered first, and its response says that the connection closes', () => {
  const { connection, seen } = connect();
  connection.onRequestBegin();
  const latest = {
    closeAfterResponse() {
      seen.lastAnswers++;
    },
    goAway() {},
  };
  connection.latest = latest as unknown as Responder;
  for (const nowMs of [1_000, 60_000, 120_000]) connection.drain(nowMs);
  assert.deepEqual([seen.lastAnswers, seen.ends, seen.destroyed], [1, 0, 0]);
  connection.onRequestEnd();
  assert.equal(seen.ends, 1);
});

test('while draining, an HTTP/2 client that still reads keeps its connection, and one that does not loses it after 5 s', () => {
  const { connection, socket, seen } = connect('http2');
  socket.bytesWritten = 3_000_000;
  socket.writableLength = 2_000_000;
  connection.drain(0);
  for (let nowMs = 4_000; nowMs <= 40_000; nowMs += 4_000) {
    socket.writableLength -= 100_000; // it reads slowly
    connection.drain(nowMs);
  }
  assert.equal(seen.destroyed, 0);
  socket.writableLength = 0;
  connection.drain(41_000);
  connection.drain(45_999);
  assert.equal(
    seen.destroyed,
    0,
    'what it has not read yet is still in the kernel, and its acknowledgements come',
  );
  connection.drain(46_000);
  assert.deepEqual([seen.destroyed, seen.ends], [1, 0]);
});

test('at the end bytes that the kernel has not taken are waited for: drain.timeout is what ends them', () => {
  const { connection, socket, seen } = connect('http2');
  socket.bytesWritten = 100;
  socket.writableLength = 50;
  for (const nowMs of [0, 5_000, 60_000]) connection.drain(nowMs);
  assert.equal(seen.destroyed, 0);
});

test('at the end the tunnel of a connection is asked to go, again and again', () => {
  const { connection } = connect();
  let asked = 0;
  connection.onRequestBegin();
  const latest = { closeAfterResponse() {}, goAway: () => asked++ };
  connection.latest = latest as unknown as Responder;
  connection.drain(0);
  connection.drain(50);
  assert.equal(asked, 2);
});

test('behind the last response of a connection nothing is begun, whoever has said that it is the last', () => {
  const { connection } = connect();
  const latest = { isLast: false, closeAfterResponse() {} };
  connection.latest = latest as unknown as Responder;
  assert.equal(connection.isSpent, false);
  latest.isLast = true;
  assert.equal(connection.isSpent, true);

  const other = connect().connection;
  other.closeWhenIdle();
  assert.equal(other.isSpent, true, 'also where no request has come before');
});

test('malformed streams of a connection are told once, when there is one more than it is allowed', () => {
  const { connection } = connect('http2');
  let told = 0;
  connection.malformedMax = 2;
  connection.onTooManyMalformed = () => told++;
  connection.onMalformedStream();
  connection.onMalformedStream();
  assert.equal(told, 0);
  connection.onMalformedStream();
  connection.onMalformedStream();
  assert.equal(told, 1);
});
