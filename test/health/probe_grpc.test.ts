// What `probe.test.ts` does not ask: answers that are half good.
import assert from 'node:assert/strict';
import http2, { type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { askGrpc } from '../../src/health/probe_grpc.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { firstWord } from './ask_server.ts';

checkLeaks();

const SERVING = [0, 0, 0, 0, 2, 8, 1];

interface Answer {
  readonly head?: OutgoingHttpHeaders;
  readonly bytes?: readonly number[];
  readonly trailers?: OutgoingHttpHeaders;
}

function asked({ head = {}, bytes = SERVING, trailers = { 'grpc-status': '0' } }: Answer, seen?: unknown[]) {
  const server = http2.createServer();
  server.on('stream', (stream: ServerHttp2Stream, fields) => {
    seen?.push([fields[':method'], fields[':authority'], fields['content-type'], fields['te']]);
    stream.on('error', () => {});
    stream.respond({ ':status': 200, ...head }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(Buffer.from(bytes));
  });
  return firstWord(server, (socket, tell) => askGrpc('', socket, 'app.test:50051', tell));
}

test('the question is a gRPC call, with the address of the endpoint as its authority', async () => {
  const seen: unknown[] = [];
  assert.deepEqual(await asked({}, seen), [true, 'SERVING']);
  assert.deepEqual(seen, [['POST', 'app.test:50051', 'application/grpc', 'trailers']]);
});

test('SERVING is not believed when the call itself has failed', async () => {
  assert.deepEqual(await asked({ trailers: { 'grpc-status': '13' } }), [false, 'grpc-status 13']);
  assert.deepEqual(await asked({ head: { ':status': 503 } }), [false, 'status 503']);
});

test('a server without the health service says so in its first frame, and that is the cause', async () => {
  // An answer of trailers only, as gRPC servers give it for a method that they do not have.
  assert.deepEqual(await asked({ head: { 'grpc-status': '12' }, bytes: [] }), [false, 'grpc-status 12']);
});

test('a status that the protocol does not have, and a message of the wrong length, are no answer', async () => {
  const none = [false, 'the response is not a HealthCheckResponse'];
  assert.deepEqual(await asked({ bytes: [0, 0, 0, 0, 2, 8, 9] }), none, 'status 9');
  assert.deepEqual(await asked({ bytes: [0, 0, 0, 0, 9, 8, 1] }), none, 'announced 9 bytes, sent 2');
  assert.deepEqual(await asked({ bytes: [0, 0, 0, 0, 2, 18, 1] }), none, 'another field');
  assert.deepEqual(await asked({ bytes: [0, 0, 0, 0, 2, 8, 3] }), [false, 'SERVICE_UNKNOWN']);
});
