import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestEditsOf } from '../../src/routing/request_edits.ts';

const EDITS = { remove: ['x-a'], set: [], add: [] };
const NOTHING = { remove: [], set: [], add: [] };
const BASIC = { realm: 'r', users: [], forwardAuthorization: false };

function removed(basicAuth: typeof BASIC | null, propagate: boolean) {
  return requestEditsOf({ headers: { request: EDITS, response: NOTHING }, basicAuth }, propagate).remove;
}

test('fields that are only for this proxy are removed, together with those that the route removes', () => {
  assert.deepEqual(removed(null, true), ['x-a']);
  assert.deepEqual(removed(null, false), ['x-a', 'traceparent', 'tracestate']);
  assert.deepEqual(removed(BASIC, true), ['x-a', 'authorization']);
  assert.deepEqual(removed({ ...BASIC, forwardAuthorization: true }, true), ['x-a']);
});
