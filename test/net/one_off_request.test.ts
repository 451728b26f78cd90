import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { headFailure, isTlsAlert, oneOffRequest } from '../../src/net/one_off_request.ts';
import { echo } from '../support/backend_behaviours.ts';
import { value, values } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const REQUEST = { method: 'GET', target: '/a?b', authority: 'app.test', body: null };
const withCode = (code?: string) => Object.assign(new Error('x'), code === undefined ? {} : { code });

test('the head goes out as it is written, Host first, without the announcement of trailers that will not come', async () => {
  await using backend = await startBackend(echo());
  const socket = net.connect(backend.port, '127.0.0.1');
  const headers = ['X-Twice', '1', 'Trailer', 'X-Sum', 'X-Twice', '2'];
  const sent = oneOffRequest(socket, { ...REQUEST, headers }, ['Connection', 'close']);
  assert(sent !== null);
  sent.end();
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'end');
  const [request] = backend.requests;
  assert(request !== undefined);
  assert.deepEqual([request.method, request.target], ['GET', '/a?b']);
  assert.deepEqual(request.headers.slice(0, 2), ['Host', 'app.test']);
  assert.deepEqual(values(request.headers, 'x-twice'), ['1', '2']);
  assert.equal(value(request.headers, 'trailer'), null);
  socket.destroy();
});

test('a head that Node refuses costs its connection, and is reported', () => {
  const socket = new net.Socket();
  assert.equal(oneOffRequest(socket, { ...REQUEST, headers: ['X-Bad', 'a\nb'] }, []), null);
  assert.equal(socket.destroyed, true);
});

test('why no head has come: too large, no HTTP, an alert of TLS, or the end of the connection', () => {
  assert.deepEqual(headFailure(withCode('HPE_HEADER_OVERFLOW')), {
    kind: 'bad_response',
    detail: 'The response head is larger than 64 KiB.',
  });
  assert.equal(headFailure(withCode('HPE_INVALID_CONSTANT')).kind, 'bad_response');
  const alert = 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED';
  assert.deepEqual(headFailure(withCode(alert)), { kind: 'tls_failed', part: 'protocol', code: alert });
  assert.deepEqual(headFailure(withCode('ECONNRESET')), { kind: 'reset_before_head', code: 'ECONNRESET' });
  assert.deepEqual(headFailure(withCode()), { kind: 'reset_before_head', code: 'UNKNOWN' });
  assert.equal(isTlsAlert('ERR_SSL_WRONG_VERSION_NUMBER'), false, 'our own reading of what came, no alert');
});
