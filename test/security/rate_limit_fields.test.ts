import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RateLimitSettings } from '../../src/security/rate_limit.ts';
import { rateLimitFields } from '../../src/security/rate_limit_fields.ts';

/** 10 a second, 20 at once: an interval of 100 ms. */
const LIMIT: RateLimitSettings = {
  name: 'api/0',
  key: { kind: 'clientIp' },
  count: 10,
  periodMs: 1_000,
  burst: 20,
  mode: 'enforce',
  store: null,
  headers: 'draft',
};

function outcome(left: number, resetMs: number, retryAfterMs = 0, parts: Partial<RateLimitSettings> = {}) {
  return { settings: { ...LIMIT, ...parts }, left, resetMs, retryAfterMs };
}

test('the policy is the burst and the time in which it comes back, the rest what is left and when all of it is back', () => {
  assert.deepEqual(rateLimitFields([outcome(19, 100)]), [
    'RateLimit-Policy',
    '"api/0";q=20;w=2',
    'RateLimit',
    '"api/0";r=19;t=1',
  ]);
  assert.equal(rateLimitFields([outcome(5, 1_500)])?.[3], '"api/0";r=5;t=2');
});

test('with nothing left the time is that of the next request, as Retry-After has it', () => {
  const slow = { count: 1, periodMs: 60_000, burst: 2 };
  assert.equal(rateLimitFields([outcome(0, 120_000, 0, slow)])?.[3], '"api/0";r=0;t=60');
  assert.equal(rateLimitFields([outcome(0, 90_500, 30_500, slow)])?.[3], '"api/0";r=0;t=31');
});

test('of several limits the fields describe the one with the longest refusal, otherwise the one with the least left', () => {
  const name = (...outcomes: Parameters<typeof rateLimitFields>[0]) =>
    rateLimitFields(outcomes)?.[3]?.split(';')[0];
  const b = { name: 'b' };
  assert.equal(name(outcome(3, 100), outcome(2, 100, 0, b)), '"b"');
  assert.equal(name(outcome(2, 100), outcome(3, 100, 0, b)), '"api/0"');
  assert.equal(name(outcome(2, 100), outcome(2, 900, 0, b)), '"b"');
  assert.equal(name(outcome(0, 2_000, 50), outcome(0, 2_000, 100, b)), '"b"');
  assert.equal(name(outcome(0, 2_000, 50), outcome(0, 1_900, 0, b)), '"api/0"');
});

test('a limit with headers off or in shadow mode has no fields', () => {
  assert.equal(rateLimitFields([]), null);
  assert.equal(
    rateLimitFields([outcome(1, 1, 0, { headers: 'off' }), outcome(1, 1, 0, { mode: 'shadow' })]),
    null,
  );
});
