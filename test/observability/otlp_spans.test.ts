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
  assert.deepEqual([server.kind, server.parentSpanId, server.name], [2, TRACE.parentId, 'GET all']);
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
    requestRecord({ status: 404, reason: 'no_route', route: null, attempts: [] }),
    TRACE,
    '/',
    0,
  );
  assert.deepEqual([span?.status, span?.name], [{}, 'GET']);
});
