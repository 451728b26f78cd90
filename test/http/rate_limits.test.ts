// Limits of this process and of a store, as one decision: with a store out of reach, and stores that answer at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BoundRoute } from '../../src/http/data_plane.ts';
import { askLimits, giveBack, judgeStoreAnswer } from '../../src/http/rate_limits.ts';
import type { RoutingContext } from '../../src/http/request.ts';
import type { LimitStore, StoreAnswer } from '../../src/security/limit_store.ts';
import { StoreLimits } from '../../src/security/limits_in_store.ts';
import { Allowances, RateLimiter, type RateLimitSettings } from '../../src/security/rate_limit.ts';
import type { RequestHead } from '../../src/security/request_head.ts';
import { FakeClock } from '../support/fake_clock.ts';

const LIMIT: RateLimitSettings = {
  name: 'api/0',
  key: { kind: 'route' },
  count: 1,
  periodMs: 60_000,
  burst: 2,
  mode: 'enforce',
  store: null,
  headers: 'draft',
};
const HEAD = { authority: 'a', headers: [] } as unknown as RequestHead;

function start(limits: readonly Partial<RateLimitSettings>[] = [{}]) {
  const clock = new FakeClock();
  const counted: string[] = [];
  const rateLimiters = limits.map(parts => new RateLimiter({ ...LIMIT, ...parts }, new Allowances(clock)));
  const request = () => {
    const telemetry = { rateLimited: (limiter: string, mode: string) => counted.push(`${limiter} ${mode}`) };
    const context = {
      clientIp: '192.0.2.1',
      services: { telemetry },
      limitsAsked: null,
      limitOutcomes: null,
      rateLimitFields: null,
    } as unknown as RoutingContext;
    return { context, answer: askLimits(context, { rateLimiters } as unknown as BoundRoute, HEAD) };
  };
  return { request, counted };
}

function stored(onError: 'allow' | 'deny' = 'allow'): StoreLimits {
  const store = { settings: { name: 'shared', onError } } as unknown as LimitStore;
  return new StoreLimits('api', [{ ...LIMIT, name: 'api/1', store: 'shared' }], store);
}
const said = (left: number, retryAfterMs = 0): StoreAnswer => ({
  kind: 'answered',
  answers: [{ left, retryAfterMs, resetMs: 60_000 }],
});

test('a request that one limit refuses is charged to none, and all limits are in the record', () => {
  const { request, counted } = start([
    { burst: 1 },
    { name: 'api/1' },
    { name: 'api/2', burst: 1, mode: 'shadow' },
  ]);
  assert.ok(!('kind' in request().answer));
  for (let count = 0; count < 3; count++) {
    const { context, answer } = request();
    assert.deepEqual(answer, { kind: 'rate_limited', limiter: 'api/0', retryAfterMs: 60_000 });
    assert.deepEqual(
      context.limitsAsked?.map(({ admitted, left }) => [admitted, left]),
      [
        [false, 0],
        [true, 0],
        [false, 0],
      ],
    );
    assert.equal(context.rateLimitFields?.[3], '"api/0";r=0;t=60');
  }
  assert.deepEqual(counted.slice(0, 2), ['api/0 enforce', 'api/2 shadow']);
});

test('a refusal of the store gives back what was charged here', () => {
  const { request } = start();
  const first = request();
  assert.ok(!('kind' in first.answer));
  const failure = judgeStoreAnswer(first.context, stored(), said(0, 5_000));
  assert.deepEqual(failure, { kind: 'rate_limited', limiter: 'api/1', retryAfterMs: 5_000 });
  giveBack(first.answer);
  const left = () => request().context.limitsAsked?.[0]?.left;
  assert.deepEqual([left(), left()], [1, 0]);
});

test('the response fields describe the tightest of all limits, here and in the store', () => {
  const { request } = start();
  const { context } = request();
  assert.equal(context.rateLimitFields?.[3], '"api/0";r=1;t=60');
  assert.equal(judgeStoreAnswer(context, stored(), said(0)), null);
  assert.equal(context.rateLimitFields?.[3], '"api/1";r=0;t=1');
  assert.deepEqual(
    context.limitsAsked?.map(({ limiter, left }) => [limiter, left]),
    [
      ['api/0', 1],
      ['api/1', 0],
    ],
  );
});

test('if a store does not answer, onError decides, and the record shows it', () => {
  for (const onError of ['allow', 'deny'] as const) {
    const { context } = start().request();
    const failure = judgeStoreAnswer(context, stored(onError), { kind: 'failed', cause: 'timeout' });
    const refused = { kind: 'limit_store_failed', store: 'shared', cause: 'timeout' };
    assert.deepEqual(failure, onError === 'allow' ? null : refused);
    const last = { limiter: 'api/1', mode: 'enforce', admitted: onError === 'allow', left: null };
    assert.deepEqual(context.limitsAsked?.at(-1), last);
  }
});
