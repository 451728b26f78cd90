// What undici says of a request, in our terms: above all whether anything of it may have reached the backend.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Dispatcher, errors } from 'undici';
import { type ConnectionFacts, Http1Exchange } from '../../../src/net/upstream/http1_exchange.ts';
import type { UpstreamHandler, UpstreamRequest } from '../../../src/net/upstream.ts';
import type { Failure } from '../../../src/resilience/failure.ts';

interface Facts {
  reused: boolean;
  bytesWritten: number;
  isDestroyed: boolean;
  connectFailure: Failure | null;
}

/** An exchange of which the test is undici, and the connection. */
function exchangeOf(request: Partial<UpstreamRequest> = {}, given: Partial<Facts> = {}) {
  const facts: Facts = {
    reused: true,
    bytesWritten: 100,
    isDestroyed: false,
    connectFailure: null,
    ...given,
  };
  const heard: unknown[] = [];
  const connection = Object.assign(facts, {
    connectMs: 0,
    onRequestStart() {},
    closeAfterResponse: () => heard.push('connection closes'),
  });
  const handler: UpstreamHandler = {
    onConnected: reused => heard.push(reused ? 'reused' : 'new'),
    onInformation: status => heard.push(`information ${status}`),
    onHead: status => heard.push(`head ${status}`),
    onData(chunk) {
      heard.push(String(chunk));
      return true;
    },
    onEnd: trailers => heard.push(trailers ?? 'end'),
    onError: failure => heard.push(failure),
  };
  const whole = { method: 'GET', target: '/', authority: 'a', headers: [], body: null, ...request };
  const exchange = new Http1Exchange(connection satisfies ConnectionFacts, handler, whole);
  const raw = { headers: [] as string[], trailers: [] as string[] };
  const controller = {
    get rawHeaders() {
      return raw.headers;
    },
    get rawTrailers() {
      return raw.trailers;
    },
    pause: () => heard.push('paused'),
    resume: () => heard.push('resumed'),
    abort: () => heard.push('aborted'),
  } as unknown as Dispatcher.DispatchController;
  const respond = (status: number, headers: string[] = []) => {
    raw.headers = headers;
    exchange.onResponseStart(controller, status, {}, '');
  };
  const end = (trailers: string[] = []) => {
    raw.trailers = trailers;
    exchange.onResponseEnd(controller);
  };
  const fail = (error: Error) => exchange.onResponseError(controller, error);
  return { exchange, controller, facts, heard, respond, end, fail };
}

const coded = (code: string, syscall?: string) => Object.assign(new Error(code), { code, syscall });
const CHUNKED = ['Transfer-Encoding', 'chunked'];

test('a kept connection that refuses the first write has sent nothing: the request may be repeated, whatever its method', () => {
  const cases = [
    { error: coded('EPIPE', 'write'), reused: true, unsent: true },
    { error: coded('ECONNRESET', 'read'), reused: true, unsent: false },
    { error: coded('EPIPE', 'write'), reused: false, unsent: false },
  ];
  for (const { error, reused, unsent } of cases) {
    const { exchange, controller, heard, fail } = exchangeOf({}, { reused });
    exchange.onRequestStart(controller);
    fail(error);
    const failure = { kind: 'reset_before_head', code: error.code, ...(unsent ? { unsent } : {}) };
    assert.deepEqual(heard.at(-1), failure);
  }
});

test('with a body nothing was sent only if the connection counts no byte more than before', () => {
  for (const [written, unsent] of [
    [0, true],
    [1, false],
  ] as const) {
    const { exchange, controller, facts, heard, fail } = exchangeOf({ body: Buffer.from('upload') });
    exchange.onRequestStart(controller);
    facts.bytesWritten += written;
    fail(coded('EPIPE', 'write'));
    assert.deepEqual(heard.at(-1), {
      kind: 'reset_before_head',
      code: 'EPIPE',
      ...(unsent ? { unsent } : {}),
    });
  }
});

test('the reason for a missing connection is reported as it is, not as undici translates it', () => {
  const connectFailure: Failure = { kind: 'connect_timeout', afterMs: 1_000 };
  const { heard, fail } = exchangeOf({}, { connectFailure });
  fail(new Error('connect_timeout'));
  assert.deepEqual(heard, [connectFailure]);
});

test('the same error is a failure before the head, and a cut response after it', () => {
  const before = exchangeOf();
  before.exchange.onRequestStart(before.controller);
  before.fail(new errors.HTTPParserError('Expected HTTP/'));
  assert.equal((before.heard.at(-1) as Failure).kind, 'bad_response');
  const after = exchangeOf();
  after.exchange.onRequestStart(after.controller);
  after.respond(200);
  after.fail(coded('ECONNRESET'));
  assert.deepEqual(after.heard.slice(1), ['head 200', { kind: 'reset_in_body', code: 'ECONNRESET' }]);
});

test('a chunked response that breaks in the turn of its head is not passed on at all', async () => {
  const { exchange, controller, facts, heard, respond, fail } = exchangeOf();
  exchange.onRequestStart(controller);
  respond(200, CHUNKED);
  exchange.onResponseData(controller, Buffer.from('half'));
  facts.isDestroyed = true;
  await null; // the rest of the turn: undici tells the error in one of its own
  fail(new errors.HTTPParserError('Invalid character in chunk size'));
  assert.deepEqual([heard.length, (heard[1] as Failure).kind], [2, 'bad_response']);
});

test('a chunked response is passed on at the end of its turn, head first, and whole', async () => {
  const { exchange, controller, heard, respond, end } = exchangeOf();
  exchange.onRequestStart(controller);
  respond(200, CHUNKED);
  exchange.onResponseData(controller, Buffer.from('one'));
  assert.deepEqual(heard, ['reused']);
  await new Promise(process.nextTick);
  assert.deepEqual(heard, ['reused', 'head 200', 'one']);
  end(['X-Sum', '1']);
  assert.deepEqual(heard.slice(3), [['X-Sum', '1']]);
});

test('a coding that was not asked for is not passed on as something that it is not', async () => {
  const { exchange, controller, heard, respond } = exchangeOf();
  exchange.onRequestStart(controller);
  respond(200, ['Transfer-Encoding', 'gzip, chunked']);
  await new Promise(process.nextTick);
  assert.equal((heard.at(-1) as Failure).kind, 'bad_response');
  assert.ok(heard.includes('aborted'), 'its connection is not used again');
});

test('a reset is reported as one at once, although undici would take it for the end of the response', () => {
  const { exchange, controller, heard, respond, end } = exchangeOf();
  exchange.onRequestStart(controller);
  respond(200, ['Connection', 'close']);
  exchange.onSocketError(coded('ECONNRESET'));
  end();
  assert.deepEqual(heard.slice(2), [{ kind: 'reset_in_body', code: 'ECONNRESET' }]);
});

test('a connection with a login, or a challenge for one, is used for no other request', () => {
  for (const [sent, status, received] of [
    [['Authorization', 'NTLM TlRMTVNTUAAB'], 200, []],
    [[], 401, ['WWW-Authenticate', 'Negotiate']],
  ] as const) {
    const { exchange, controller, heard, respond, end } = exchangeOf({ headers: [...sent] });
    exchange.onRequestStart(controller);
    respond(status, [...received]);
    end();
    assert.deepEqual(heard.slice(-2), ['connection closes', 'end']);
  }
});

test('"Connection" in trailers costs the connection, other trailers do not', () => {
  for (const [trailers, closes] of [
    [['Connection', 'close'], true],
    [['X-Sum', '1'], false],
  ] as const) {
    const { exchange, controller, heard, respond, end } = exchangeOf();
    exchange.onRequestStart(controller);
    respond(200);
    end([...trailers]);
    assert.equal(heard.includes('connection closes'), closes);
  }
});

test('after a cancel there is no callback, and an unsent request is not sent', () => {
  const begun = exchangeOf();
  begun.exchange.onRequestStart(begun.controller);
  begun.exchange.cancel();
  begun.exchange.cancel();
  begun.respond(200);
  begun.exchange.onResponseData(begun.controller, Buffer.from('late'));
  begun.exchange.resume();
  begun.fail(new Error('cancelled'));
  begun.end();
  assert.deepEqual(begun.heard, ['reused', 'aborted']);
  const waiting = exchangeOf();
  waiting.exchange.cancel();
  assert.throws(() => waiting.exchange.onRequestStart(waiting.controller), /before it was sent/);
  assert.deepEqual(waiting.heard, []);
});
