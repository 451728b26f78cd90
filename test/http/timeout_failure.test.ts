import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOfTimeout } from '../../src/http/timeout_failure.ts';

test('each timeout has its own failure', () => {
  for (const [name, kind] of [
    ['request', 'request_timeout'],
    ['perTry', 'per_try_timeout'],
    ['responseHead', 'response_head_timeout'],
    ['responseIdle', 'response_idle_timeout'],
    ['bodyIdle', 'client_timeout'],
  ] as const)
    assert.equal(failureOfTimeout(name, 5, false).kind, kind, name);
});

test('a client is not blamed for a body that the backend does not take', () => {
  assert.deepEqual(failureOfTimeout('bodyIdle', 5, true), { kind: 'response_head_timeout', afterMs: 5 });
});
