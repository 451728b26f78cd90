import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureResponse, grpcFailureResponse } from '../../src/http/failure_response.ts';
import { value } from '../support/http1_message.ts';

const id = '01a1fb72-9752-76aa-81e3-a102b51033e6';

test('the body has the form that the client accepts, and each says the reason and the request id', () => {
  const failure = { kind: 'no_route' } as const;
  for (const [accept, type] of [
    ['application/json', 'application/problem+json'],
    ['text/html,application/xhtml+xml;q=0.9', 'text/html; charset=utf-8'],
    ['*/*', 'text/plain; charset=utf-8'],
    [null, 'text/plain; charset=utf-8'],
  ] as const) {
    const answer = failureResponse(failure, id, accept);
    assert.equal(value(answer.headers, 'content-type'), type);
    assert.match(answer.body, /no_route/);
    assert.match(answer.body, new RegExp(id));
    assert.equal(value(answer.headers, 'content-length'), String(Buffer.byteLength(answer.body)));
  }
});

test('503 and 429 say when to come back, in whole seconds, rounded up', () => {
  const after = (failure: Parameters<typeof failureResponse>[0]) =>
    value(failureResponse(failure, id, null).headers, 'retry-after');
  assert.equal(after({ kind: 'circuit_open', retryAfterMs: 4_200, why: '' }), '5');
  assert.equal(after({ kind: 'rate_limited', limiter: 'a/0', retryAfterMs: 10 }), '1');
  assert.equal(after({ kind: 'shutting_down' }), '1');
  assert.equal(after({ kind: 'no_route' }), null);
});

test('a detail that came from outside cannot become markup', () => {
  const answer = failureResponse(
    { kind: 'bad_request', detail: '<script>alert(1)</script>' },
    id,
    'text/html',
  );
  assert.doesNotMatch(answer.body, /<script>/);
});

test('a gRPC client gets status, reason and request id in a form that it can read', () => {
  const { status, headers, body } = grpcFailureResponse(
    { kind: 'rate_limited', limiter: 'l', retryAfterMs: 5 },
    'id-12345',
  );
  const field = (name: string) => headers[headers.indexOf(name) + 1];
  assert.deepEqual([status, body, field('Grpc-Status')], [200, '', '8']);
  assert.equal(field('Grpc-Message'), 'rate_limited: Too many requests (request id-12345)');
  const odd = grpcFailureResponse({ kind: 'bad_request', detail: '50 % ä\n' }, 'id-12345').headers;
  assert.match(
    odd[odd.indexOf('Grpc-Message') + 1] ?? '',
    /^bad_request: 50 %25 %C3%A4%0A \(request id-12345\)$/,
  );
});

test('maintenance has its own status, page and time, and says the reason where there is no page', () => {
  const failure = {
    kind: 'maintenance',
    status: 599,
    retryAfterMs: 90_500,
    page: null,
    origin: 'x:1:1',
  } as const;
  const plain = failureResponse(failure, id, 'application/json');
  assert.deepEqual([plain.status, JSON.parse(plain.body).status], [599, 599]);
  assert.equal(value(plain.headers, 'retry-after'), '91');
  assert.equal(value(plain.headers, 'cache-control'), 'no-store');
  assert.doesNotMatch(plain.body, /x:1:1/);
  const page = { contentType: 'text/html', body: '<p>bald zurück</p>' };
  const own = failureResponse({ ...failure, page }, id, 'application/json');
  assert.equal(own.body, page.body);
  assert.equal(value(own.headers, 'content-type'), 'text/html');
  assert.equal(value(own.headers, 'content-length'), '19');
});

test('what the title says is not said twice', () => {
  for (const accept of ['*/*', 'text/html']) {
    const { body } = failureResponse({ kind: 'no_route' }, id, accept);
    const shown = body.replace(/<title>.*<\/title>/, '');
    assert.equal(shown.split('No route matches this request').length, 2, body);
  }
  const { body } = failureResponse({ kind: 'bad_request', detail: 'Invalid Content-Length.' }, id, '*/*');
  assert.match(body, /^400 The request is malformed\nInvalid Content-Length\.\nreason: bad_request\n/);
});
