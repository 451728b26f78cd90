// A request in the words of OpenTelemetry.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spansOf } from '../../src/observability/otlp_spans.ts';
import { attemptRecord, requestRecord } from './records.ts';

const TRACE = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), parentId: 'c'.repeat(16), sampled: true };

function plain(
  attributes: readonly { readonly key: string; readonly value: object }[],
): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

test('one span for the request, one below it for each attempt, in time', () => {
  const attempts = [
    attemptRecord({
      endpoint: '10.0.0.1:80',
      spanId: '1'.repeat(16),
      status: null,
      reason: 'connect_refused',
    }),
    attemptRecord({ endpoint: '10.0.0.2:81', spanId: '2'.repeat(16) }),
  ];
  const [server, first, second] = spansOf(requestRecord({ attempts }), TRACE, '/a?token=***', 1_000_000);
  assert(server !== undefined && first !== undefined && second !== undefined);
  assert.deepEqual([server.kind, server.parentSpanId, server.name], [2, TRACE.parentId, 'GET /**']);
  assert.equal(BigInt(server.endTimeUnixNano) - BigInt(server.startTimeUnixNano), 12_000_000n);
  assert.equal(server.endTimeUnixNano, '1000000000000');
  const facts = plain(server.attributes);
  assert.deepEqual(
    [facts['url.path'], facts['url.query'], facts['http.response.status_code']],
    ['/a', 'token=***', '200'],
  );
  assert.deepEqual([first.parentSpanId, second.parentSpanId], [TRACE.spanId, TRACE.spanId]);
  assert.deepEqual([first.status.code, plain(first.attributes)['error.type']], [2, 'connect_refused']);
  const again = plain(second.attributes);
  assert.deepEqual(
    [again['http.request.resend_count'], again['server.address'], again['server.port']],
    ['1', '10.0.0.2', '81'],
  );
  assert.equal('http.request.resend_count' in plain(first.attributes), false);
});

test('a fault of the client is not an error of the span', () => {
  const [span] = spansOf(
    requestRecord({ status: 404, reason: 'no_route', route: null, routePath: null, attempts: [] }),
    TRACE,
    '/',
    0,
  );
  assert.deepEqual([span?.status, span?.name], [{}, 'GET']);
});

test('http.route is the path pattern, which the name of the span repeats; the name of the route has its own attribute', () => {
  for (const [routePath, pattern] of [
    [{ kind: 'prefix', value: '/v1' }, '/v1/**'],
    [{ kind: 'prefix', value: '/' }, '/**'],
    [{ kind: 'exact', value: '/robots.txt' }, '/robots.txt'],
    [{ kind: 'template', value: '/users/{id}/**' }, '/users/{id}/**'],
    [{ kind: 'regex', value: '/[a-z]+' }, '/[a-z]+'],
  ] as const) {
    const [span] = spansOf(requestRecord({ routePath, attempts: [] }), TRACE, '/', 0);
    const facts = plain(span?.attributes ?? []);
    assert.deepEqual(
      [facts['http.route'], facts['fairlead.route'], span?.name],
      [pattern, 'all', `GET ${pattern}`],
    );
  }
});

test('an attribute has one type, whatever its value is: counts are integers, milliseconds are doubles', () => {
  const typesOf = (queueMs: number, connectMs: number) => {
    const attempts = [attemptRecord({ connectMs }), attemptRecord({ connectMs, spanId: '2'.repeat(16) })];
    const all = spansOf(requestRecord({ host: 'a.test:81', queueMs, attempts }), TRACE, '/', 0);
    const typed = all.flatMap(({ attributes }) => attributes);
    return Object.fromEntries(typed.map(({ key, value }) => [key, Object.keys(value).join()]));
  };
  assert.deepEqual(typesOf(0, 3), typesOf(0.25, 2.125));
  const types = typesOf(0, 3);
  assert.deepEqual(
    ['fairlead.queue_ms', 'fairlead.connect_ms'].map(name => types[name]),
    ['doubleValue', 'doubleValue'],
  );
  assert.deepEqual(
    ['http.response.status_code', 'server.port', 'http.request.resend_count'].map(name => types[name]),
    ['intValue', 'intValue', 'intValue'],
  );
  assert.equal(types['fairlead.reused'], 'boolValue');
});

test('a server has a name and a port, an address no brackets, and a socket is its path', () => {
  const serverOf = (host: string, endpoint: string) =>
    spansOf(requestRecord({ host, attempts: [attemptRecord({ endpoint })] }), TRACE, '/', 0).map(
      ({ attributes }) => {
        const facts = plain(attributes);
        return [facts['server.address'], facts['server.port']];
      },
    );
  assert.deepEqual(serverOf('a.test:8080', '[2001:db8::1]:80'), [
    ['a.test', '8080'],
    ['2001:db8::1', '80'],
  ]);
  assert.deepEqual(serverOf('', 'unix:/run/app.sock'), [
    [undefined, undefined],
    ['/run/app.sock', undefined],
  ]);
});

test('the version of the protocol is written as the conventions write it', () => {
  const versionOf = (protocol: 'HTTP/1.1' | 'HTTP/2.0') =>
    plain(spansOf(requestRecord({ protocol }), TRACE, '/', 0)[0]?.attributes ?? [])[
      'network.protocol.version'
    ];
  assert.deepEqual([versionOf('HTTP/1.1'), versionOf('HTTP/2.0')], ['1.1', '2']);
});

test('a method that a client invents is one of its own attribute, and not part of a name', () => {
  const spans = spansOf(requestRecord({ method: 'BREW' }), TRACE, '/', 0);
  assert.deepEqual(
    spans.map(({ name, attributes }) => {
      const facts = plain(attributes);
      return [name, facts['http.request.method'], facts['http.request.method_original']];
    }),
    [
      ['HTTP /**', '_OTHER', 'BREW'],
      ['HTTP', '_OTHER', 'BREW'],
    ],
  );
  const [get] = spansOf(requestRecord(), TRACE, '/', 0);
  assert.equal('http.request.method_original' in plain(get?.attributes ?? []), false);
});
