import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { RequestBody } from '../../src/http/body_relay.ts';
import type { BoundRoute } from '../../src/http/data_plane.ts';
import type { RoutingContext } from '../../src/http/request.ts';
import { UpstreamRequestBuilder } from '../../src/http/upstream_request.ts';
import { BufferAccount } from '../../src/resilience/buffer_account.ts';
import { buildHeaderEdits, findHeader } from '../../src/security/headers.ts';
import { headOf, openRequest } from './open_request.ts';

function builder(host: string | null, change: (context: RoutingContext) => void = () => {}, body = false) {
  const { context, clock } = openRequest();
  const head = headOf({ method: 'GET', target: '/a?b=1', connectionTokens: [] });
  context.head = head;
  change(context);
  const route = {
    rewrite: null,
    requestEdits: buildHeaderEdits({ set: [], add: [], remove: [] }),
    settings: { rewrite: { host } },
  } as unknown as BoundRoute;
  const observer = { onBodyBytes: () => true, onBodyEnd() {}, onBodyHeld() {} };
  const source = body ? new RequestBody(Readable.from([]), 0, new BufferAccount(null), observer) : null;
  return { clock, requests: new UpstreamRequestBuilder(context, route, head, source) };
}

test('attempts without anything of their own share one request', () => {
  const { requests } = builder(null);
  const first = requests.build({ spanId: null }, false);
  assert.deepEqual([first.method, first.target, first.authority], ['GET', '/a?b=1', 'a.test']);
  assert.equal(requests.build({ spanId: null }, false), first);
  assert.equal(requests.build({ spanId: null }, true).fresh, true);
});

test('a host rewrite is the authority that the backend is asked for', () => {
  assert.equal(builder('backend.local').requests.build({ spanId: null }, false).authority, 'backend.local');
});

test('a deadline is passed on as the time that is left when the attempt is sent', () => {
  const { clock, requests } = builder(null, context => {
    context.deadlineAtMs = context.startedAtMs + 300;
  });
  clock.advance(100);
  const left = () => findHeader(requests.build({ spanId: null }, false).headers, 'x-request-deadline-ms');
  assert.equal(left(), '200');
  clock.advance(1_000);
  assert.equal(left(), '0');
});

test('each attempt of a recorded trace has a span of its own', () => {
  const { requests } = builder(null, context => {
    context.trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), parentId: null, sampled: true };
  });
  const [first, second] = [{ spanId: null }, { spanId: null }] as { spanId: string | null }[];
  assert.ok(first !== undefined && second !== undefined);
  const traceparent = findHeader(requests.build(first, false).headers, 'traceparent');
  assert.equal(traceparent, `00-${'a'.repeat(32)}-${first.spanId}-01`);
  requests.build(second, false);
  assert.notEqual(first.spanId, second.spanId);
});

test('each attempt reads the body through a stream of its own', () => {
  const { requests } = builder(null, () => {}, true);
  const first = requests.build({ spanId: null }, false).body;
  assert.ok(first instanceof Readable);
  assert.notEqual(requests.build({ spanId: null }, false).body, first);
});
