// Who asks, and on which plan.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DataPlane } from '../../src/http/data_plane.ts';
import { headOf, openRequest, routeNamed } from './open_request.ts';

test('a request on the old plan ends on the old plan', () => {
  const { client, responder, planeRef, records } = openRequest();
  planeRef.current = { plane: { digest: 'plan 2' } as unknown as DataPlane };
  responder.respond(200, [], '');
  client.close(true);
  assert.equal(records[0]?.plan, 'plan 1');
});

test('a timeout names the line that set it: of the route where one has matched, of the listener before', () => {
  const { context } = openRequest();
  assert.deepEqual(context.firedTimeout('bodyIdle', 1_000.126), {
    name: 'bodyIdle',
    ms: 1_000.13,
    origin: 'fairlead.yaml:4:7',
  });
  context.route = routeNamed('all');
  assert.equal(context.firedTimeout('tunnelIdle', 1).origin, 'fairlead.yaml:9:5');
  assert.equal(context.firedTimeout('perTry', 1).origin, 'default', 'no line has set it');
});

test('a decision record keeps a head of 8 KiB to explain the routing later, and no larger one', () => {
  for (const [length, kept] of [
    [8_191, true],
    [8_192, false],
  ] as const) {
    const { client, responder, context, facts } = openRequest();
    context.head = headOf({ target: '/', headers: ['Cookie', 'x'.repeat(length - 'Cookie'.length)] });
    responder.respond(200, [], '');
    client.close(true);
    assert.equal(facts[0]?.head !== null, kept, `${length} characters and the target`);
  }
});
