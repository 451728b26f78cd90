// What logs, metrics and traces are told of a request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headOf, openRequest, routeNamed } from './open_request.ts';

test('a request whose head was refused is logged with what is known about it, without a route', () => {
  const { client, responder, context, records } = openRequest({ headers: ['User-Agent', 'scanner'] });
  responder.fail({ kind: 'bad_request', detail: '' });
  client.close(true);
  const [record] = records;
  assert.deepEqual(
    [record?.requestId, record?.host, record?.route, record?.cluster, record?.userAgent, record?.referer],
    [context.requestId, '', null, null, 'scanner', null],
  );
  assert.deepEqual([record?.attempts, record?.queueMs, record?.pausedMs], [[], 0, 0]);
});

test('the page that a request came from is logged without its secrets', () => {
  const { client, responder, records } = openRequest({ headers: ['Referer', 'https://a.test/?token=abc'] });
  responder.respond(200, [], '');
  client.close(true);
  assert.equal(records[0]?.referer, 'https://a.test/?token=[redacted]');
});

test('the record has the client, the target, route and plan, and the times', () => {
  const { clock, client, responder, context, records } = openRequest();
  context.head = headOf({ authority: 'a.test:8080' });
  context.clientIp = '203.0.113.7';
  context.route = routeNamed('all');
  clock.advance(12);
  responder.noteBytesIn(3);
  responder.respond(200, [], 'four');
  client.close(true);
  const record = records[0];
  assert(record !== undefined);
  const { listener, clientIp, peerIp, method, host, path, protocol, status, route, plan } = record;
  assert.deepEqual(
    [listener, clientIp, peerIp, method, host, path, protocol, status, route, plan],
    [
      'main',
      '203.0.113.7',
      '192.0.2.1',
      'GET',
      'a.test:8080',
      '/a?token=1',
      'HTTP/1.1',
      200,
      'all',
      'plan 1',
    ],
  );
  assert.deepEqual([record.bytesIn, record.bytesOut, record.endedAtMs - record.startedAtMs], [3, 4, 12]);
});
