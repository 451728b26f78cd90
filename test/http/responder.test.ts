// Whoever answers a request, it is answered once and its end is told once, with the cause that came first.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOTHING_UPSTREAM, type UpstreamFacts } from '../../src/http/request_record.ts';
import type { Work } from '../../src/http/responder.ts';
import { attemptRecord } from '../observability/records.ts';
import { BODY_IDLE_MS, openRequest, RATE_GRACE_MS, routeNamed } from './open_request.ts';

/** Work that notes when it is cancelled. */
function working(onCancel: () => void = () => {}): { work: Work & UpstreamFacts; calls: string[] } {
  const calls: string[] = [];
  const work = {
    ...NOTHING_UPSTREAM,
    waitsForBody: false,
    heldBytes: 0,
    cancel() {
      calls.push('cancel');
      onCancel();
    },
    onClientDrain: () => calls.push('drain'),
    goAway: () => calls.push('goAway'),
  };
  return { work, calls };
}

const QUEUE = { name: 'queue', ms: 10, origin: 'default' };
const REQUEST = { name: 'request', ms: 20, origin: 'default' };

test('a request fails with its first cause and the timeout that was it, however many follow', () => {
  const { client, responder, records } = openRequest();
  responder.fail({ kind: 'queue_timeout', afterMs: 10 }, QUEUE);
  responder.fail({ kind: 'request_timeout', afterMs: 20 }, REQUEST);
  client.close(false);
  assert.deepEqual(client.said, ['answer 503', 'abort'], 'one response, and nothing whole behind it');
  const [record] = records;
  assert.deepEqual(
    [record?.status, record?.reason, record?.failure, record?.timeout],
    [503, 'queue_timeout', { kind: 'queue_timeout', afterMs: 10 }, QUEUE],
  );
});

test('a failure before the head is a response, and behind it breaks the stream: no client takes a part for the whole', () => {
  const before = openRequest();
  before.responder.fail({ kind: 'no_route' });
  assert.deepEqual(before.client.said, ['answer 404']);

  const left = openRequest();
  left.responder.fail({ kind: 'client_gone', phase: 'request' });
  assert.deepEqual(left.client.said, ['abort'], 'nobody is there for a response');

  const behind = openRequest();
  const { work, calls } = working();
  behind.responder.forwardedBy(work);
  behind.responder.sendHead(200, 'OK', ['Content-Length', '10'], false);
  behind.responder.write(Buffer.from('12345'));
  behind.responder.fail({ kind: 'reset_in_body', code: 'ECONNRESET' });
  assert.deepEqual([behind.client.said, calls], [['head 200', 'write 5', 'abort'], ['cancel']]);
  behind.client.close(false);
  const [record] = behind.records;
  assert.deepEqual(
    [record?.status, record?.reason, record?.bytesOut],
    [200, 'reset_in_body', 5],
    'the status is the one that the client has seen',
  );
});

test('the end of a request is recorded once, in the log, the counters and its connection', () => {
  const { client, responder, records, traffic, ends } = openRequest();
  assert.equal(traffic.active.size, 1);
  responder.respond(200, [], 'ok');
  client.close(true);
  client.close(false);
  responder.fail({ kind: 'shutting_down' });
  assert.deepEqual(client.said, ['answer 200'], 'nothing is written behind the end');
  assert.deepEqual(
    records.map(({ status, reason, bytesOut }) => [status, reason, bytesOut]),
    [[200, null, 2]],
  );
  assert.deepEqual([traffic.active.size, traffic.finished, traffic.failed], [0, 1, 0]);
  assert.deepEqual(ends(), { onConnection: 1, idle: 1 });
});

test('a client that is gone in the moment in which it is answered has ended once all the same', () => {
  const { client, responder, records } = openRequest();
  client.onAnswer = () => client.close(true);
  responder.respond(200, [], 'ok');
  client.close(false);
  responder.fail({ kind: 'shutting_down' });
  assert.deepEqual([responder.isOver, records.length, client.said], [true, 1, ['answer 200']]);
});

test('a failure that is ours or a backend’s counts as failed, one of the client does not', () => {
  for (const [failure, failed] of [
    [{ kind: 'internal', detail: '' }, 1],
    [{ kind: 'no_route' }, 0],
  ] as const) {
    const { client, responder, traffic } = openRequest();
    responder.fail(failure);
    client.close(true);
    assert.equal(traffic.failed, failed, failure.kind);
  }
});

test('a client that leaves is 499 and stops the work; its attempts and pauses up to then are in the record', () => {
  const { client, responder, records } = openRequest();
  const forwarding = { ...NOTHING_UPSTREAM, attempts: [attemptRecord()], pausedMs: 0 };
  const { work, calls } = working(() => {
    forwarding.pausedMs = 7; // known only when the pause is broken off
  });
  responder.forwardedBy(Object.assign(forwarding, work, { attempts: forwarding.attempts }));
  client.close(false);
  assert.deepEqual(calls, ['cancel']);
  const [record] = records;
  assert.deepEqual(
    [record?.status, record?.reason, record?.failure, record?.attempts.length, record?.pausedMs],
    [499, 'client_gone', null, 1, 7],
  );
});

test('a client may leave an event stream without a failure, and no other response', () => {
  for (const [type, reason] of [
    ['text/event-stream; charset=utf-8', null],
    ['text/plain', 'client_gone'],
  ] as const) {
    const { client, responder, records } = openRequest();
    responder.sendHead(200, 'OK', ['Content-Type', type], false);
    client.close(false);
    assert.equal(records[0]?.reason, reason, type);
  }
});

test('work is told about the client and the drain until the response is complete, and is cancelled at most once', () => {
  const { client, responder } = openRequest();
  const { work, calls } = working();
  responder.forwardedBy(work);
  responder.onClientDrain();
  responder.goAway();
  responder.fail({ kind: 'shutting_down' });
  responder.onClientDrain();
  client.close(true);
  assert.deepEqual(calls, ['drain', 'goAway', 'cancel']);

  const other = openRequest();
  const done = working();
  other.responder.forwardedBy(done.work);
  other.responder.sendHead(200, 'OK', [], false);
  other.responder.end(null);
  other.client.close(true);
  assert.deepEqual(done.calls, [], 'what has ended by itself is not cancelled');
});

test('the response to HEAD has no body bytes in the log', () => {
  const { client, responder, records } = openRequest({ method: 'HEAD' });
  responder.respond(200, ['Content-Length', '2'], 'ok');
  client.close(true);
  assert.equal(records[0]?.bytesOut, 0);
});

test('while the process drains each response is the last on its connection, ours as well as a backend’s', () => {
  for (const respond of ['ours', 'backend'] as const) {
    const { client, responder, traffic } = openRequest();
    traffic.draining = true;
    if (respond === 'ours') responder.respond(200, [], '');
    else responder.sendHead(200, 'OK', [], true);
    assert.equal(client.said[0], 'last', respond);
  }
});

test('a client that may ask for the decision record gets its id with each response', () => {
  for (const respond of ['ours', 'backend'] as const) {
    const { client, responder, context } = openRequest();
    context.explainWanted = true;
    if (respond === 'ours') responder.respond(200, [], '');
    else responder.sendHead(200, 'OK', [], true);
    assert.deepEqual(client.headers, ['X-Fairlead-Explain', context.requestId], respond);
  }
});

test('a response that the client does not take is cut after bodyIdle, and its connection ends at the next look', () => {
  const { clock, client, responder, records } = openRequest();
  client.unsentBytes = 100;
  const look = (byMs: number) => {
    clock.advance(byMs);
    responder.checkClient(clock.nowMs());
  };
  look(BODY_IDLE_MS * 2);
  responder.respond(200, [], 'x');
  look(0); // from here on it waits
  look(BODY_IDLE_MS - 2);
  assert.deepEqual(
    client.said,
    ['answer 200'],
    'not before the limit, and an open response has no such limit',
  );
  look(2);
  assert.deepEqual(client.said, ['answer 200', 'abort']);
  look(1_000);
  client.close(false);
  assert.deepEqual(client.said, ['answer 200', 'abort', 'destroy']);
  const [record] = records;
  assert.deepEqual(
    [record?.status, record?.reason, record?.timeout],
    [200, 'client_timeout', { name: 'bodyIdle', ms: BODY_IDLE_MS, origin: 'fairlead.yaml:4:7' }],
  );
});

test('after a malformed or half-read request the connection takes no other one', () => {
  const malformed = openRequest();
  malformed.responder.fail({ kind: 'bad_request', detail: '' });
  assert.deepEqual(malformed.client.said, ['distrust', 'answer 400']);

  const halfRead = openRequest();
  halfRead.client.bodyReceived = false;
  halfRead.responder.fail({ kind: 'no_route' });
  assert.deepEqual(halfRead.client.said, ['distrust', 'answer 404']);

  const notTheClient = openRequest();
  notTheClient.client.bodyReceived = false;
  notTheClient.responder.fail({ kind: 'connect_refused', code: 'ECONNREFUSED' });
  assert.deepEqual(notTheClient.client.said, ['answer 502'], 'a backend’s fault says nothing of the client');
});

test('a response that cannot be written costs its own request, and is reported as a defect with its id', () => {
  const { client, responder, context, events, records } = openRequest();
  client.refusal = new TypeError('invalid character in header');
  responder.respond(200, [], '');
  client.close(false);
  assert.deepEqual(client.said, ['abort']);
  assert.deepEqual(
    events.map(event => event.kind === 'defect' && event.requestId),
    [context.requestId],
  );
  assert.equal(records.length, 1);
});

test('a defect while a request is worked on is a 500 and an event', () => {
  const { client, responder, events } = openRequest();
  responder.failInternally(new Error('a bug'));
  assert.deepEqual([client.said, events.map(({ kind }) => kind)], [['answer 500'], ['defect']]);
});

test('a refused request is answered in the form that it accepts, also when its head was not understood', () => {
  const { client, responder } = openRequest({ headers: ['Accept', 'application/json'] });
  responder.fail({ kind: 'bad_request', detail: 'two Host fields' });
  assert.equal(JSON.parse(client.body).reason, 'bad_request');
});

test('a gRPC call is logged with the status of its trailers, or of the head where nothing else came', () => {
  const grpc = { protocol: 'HTTP/2.0', headers: ['content-type', 'application/grpc+proto'] } as const;
  const trailers = openRequest(grpc);
  trailers.responder.sendHead(200, '', ['content-type', 'application/grpc'], false);
  trailers.responder.end(['grpc-status', '5']);
  trailers.client.close(true);
  const headOnly = openRequest(grpc);
  headOnly.responder.sendHead(200, '', ['grpc-status', '7'], true);
  headOnly.responder.end(null);
  headOnly.client.close(true);
  const failed = openRequest(grpc);
  failed.responder.fail({ kind: 'no_route' });
  failed.client.close(true);
  const http1 = openRequest({ headers: grpc.headers });
  http1.responder.sendHead(200, '', ['grpc-status', '7'], false);
  http1.responder.end(null);
  http1.client.close(true);
  assert.deepEqual(
    [trailers, headOnly, failed, http1].map(({ records }) => [records[0]?.status, records[0]?.grpcStatus]),
    [
      [200, 5],
      [200, 7],
      [200, 12],
      [200, null],
    ],
  );
});

test('a tunnel that was idle for too long has that reason and the line of its limit; another end is no failure', () => {
  for (const [idleMs, reason] of [
    [60_000, 'tunnel_idle_timeout'],
    [null, null],
  ] as const) {
    const { responder, context, client, records } = openRequest();
    context.route = routeNamed('all');
    responder.switchProtocols();
    responder.tunnelledBy(working().work);
    responder.onTunnelEnd(3, 4, idleMs);
    responder.onClientClose(true);
    const [record] = records;
    assert.deepEqual(client.said, ['socket taken']);
    assert.deepEqual(
      [record?.status, record?.reason, record?.bytesIn, record?.bytesOut],
      [101, reason, 3, 4],
    );
    assert.equal(record?.timeout?.origin, idleMs === null ? undefined : 'fairlead.yaml:9:5');
  }
});

test('nothing is written behind a tunnel that the shutdown ends', () => {
  const { responder, client, records } = openRequest();
  responder.switchProtocols();
  responder.tunnelledBy(working(() => responder.onClientClose(true)).work);
  responder.fail({ kind: 'shutting_down' });
  assert.deepEqual(client.said, ['socket taken']);
  assert.deepEqual([records.length, records[0]?.status, records[0]?.reason], [1, 101, 'shutting_down']);
});

test('a client that drips its body, or takes a response in drips, fails with the rate that it missed, and a tunnel does neither', () => {
  const seconds = (count: number, each: (second: number) => void) => {
    for (let second = 1; second <= count; second++) each(second);
  };
  const { clock, client, responder, records } = openRequest();
  const look = () => {
    clock.advance(1_000);
    responder.checkClient(clock.nowMs());
  };
  responder.forwardedBy({ ...working().work, waitsForBody: true });
  seconds(RATE_GRACE_MS / 1_000 + 1, look);
  assert.deepEqual(client.said, []);
  look();
  assert.deepEqual(client.said, ['answer 408']);
  client.close(true);
  assert.deepEqual(records[0]?.timeout?.name, 'minUploadRate');

  const reading = openRequest();
  const lookAgain = () => {
    reading.clock.advance(1_000);
    reading.responder.checkClient(reading.clock.nowMs());
  };
  reading.responder.sendHead(200, 'OK', [], false);
  reading.client.unsentBytes = 500;
  seconds(RATE_GRACE_MS / 1_000 + 2, lookAgain);
  assert.deepEqual(reading.client.said, ['head 200', 'abort']);
  reading.client.close(false);
  assert.deepEqual(
    [reading.records[0]?.timeout?.name, reading.records[0]?.reason],
    ['minDownloadRate', 'client_timeout'],
  );

  const switched = openRequest();
  switched.responder.switchProtocols();
  switched.client.unsentBytes = 500;
  for (let second = 0; second < 100; second++) {
    switched.clock.advance(1_000);
    switched.responder.checkClient(switched.clock.nowMs());
  }
  assert.deepEqual(switched.client.said, ['socket taken']);
});

test('what a request has in memory is in the account of the process until it is over, and in need the request ends', () => {
  const { client, responder, records, traffic, clock } = openRequest();
  client.heldBytes = 40;
  responder.forwardedBy({ ...working().work, heldBytes: 60 });
  responder.noteHeld();
  assert.equal(traffic.buffers.bytes, 100);
  traffic.buffers.setLimit(99);
  assert.deepEqual([client.said, traffic.buffers.bytes], [['answer 503', 'destroy'], 0]);
  client.close(false);
  responder.checkClient(clock.nowMs());
  assert.equal(traffic.buffers.bytes, 0, 'nothing is held by what is over');
  assert.deepEqual(records[0]?.failure, { kind: 'overloaded', signal: 'buffered_bytes' });
});
