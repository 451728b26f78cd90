import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderList } from '../../src/security/fields.ts';
import {
  Allowances,
  RateLimiter,
  type RateLimitSettings,
  RouteAllowances,
} from '../../src/security/rate_limit.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261120);
const SETTINGS: RateLimitSettings = {
  name: 'api/0',
  key: { kind: 'clientIp' },
  count: 10,
  periodMs: 1_000,
  burst: 3,
  mode: 'enforce',
  store: null,
  headers: 'off',
};

function limiterWith(parts: Partial<RateLimitSettings> = {}, keysMax?: number) {
  const clock = new FakeClock();
  return { clock, limiter: new RateLimiter({ ...SETTINGS, ...parts }, new Allowances(clock, keysMax)) };
}

/** Decides, and charges what is admitted. */
function admit(limiter: RateLimiter, clientIp: string, headers: HeaderList = [], authority = 'a.example') {
  const decision = limiter.decide({ clientIp, authority, headers });
  if (decision.retryAfterMs === 0) limiter.take(decision);
  return decision;
}

const waitMs = (limiter: RateLimiter, ip: string, headers: HeaderList) =>
  admit(limiter, ip, headers).retryAfterMs;

test('says how many more of the same client would be admitted', () => {
  const { clock, limiter } = limiterWith();
  const left = () => admit(limiter, '192.0.2.1').left;
  assert.deepEqual([left(), left(), left(), left()], [2, 1, 0, 0]);
  clock.advance(250); // two intervals and a half
  assert.deepEqual([left(), left(), left()], [1, 0, 0]);
});

test('a burst passes at once, then one request per interval', () => {
  const { clock, limiter } = limiterWith();
  for (let at = 0; at < 3; at++)
    assert.equal(waitMs(limiter, '192.0.2.1', []), 0, `number ${at} of the burst`);
  assert.equal(waitMs(limiter, '192.0.2.1', []), 100, 'one interval until the next');
  clock.advance(99);
  assert.equal(waitMs(limiter, '192.0.2.1', []), 1);
  clock.advance(1);
  assert.equal(waitMs(limiter, '192.0.2.1', []), 0);
  assert.equal(waitMs(limiter, '192.0.2.1', []), 100);
});

test('a client that comes back after Retry-After is admitted', () => {
  const { clock, limiter } = limiterWith({ count: 7, burst: 1 }); // an interval that is no whole number
  for (let at = 0; at < 1_000; at++) {
    const ms = waitMs(limiter, '192.0.2.1', []);
    if (ms > 0) clock.advance(ms);
    if (ms > 0) assert.equal(waitMs(limiter, '192.0.2.1', []), 0, `request ${at} after ${ms} ms`);
  }
});

test('asking again while refused does not move the end of the wait', () => {
  const { clock, limiter } = limiterWith({ burst: 1 });
  waitMs(limiter, '192.0.2.1', []);
  for (let at = 0; at < 50; at++) {
    assert.equal(waitMs(limiter, '192.0.2.1', []), 100 - at);
    clock.advance(1);
  }
});

test('one client does not use up the allowance of another', () => {
  const { limiter } = limiterWith({ burst: 1 });
  assert.equal(waitMs(limiter, '192.0.2.1', []), 0);
  assert.equal(waitMs(limiter, '192.0.2.2', []), 0);
  assert.notEqual(waitMs(limiter, '192.0.2.1', []), 0);
  assert.equal(waitMs(limiter, '2001:db8::1', []), 0);
  assert.notEqual(waitMs(limiter, '2001:db8::2', []), 0, 'the same /64 is the same client');
  assert.equal(waitMs(limiter, '2001:db8:0:1::1', []), 0);
});

test('a route has one allowance for all', () => {
  const { limiter } = limiterWith({ key: { kind: 'route' }, burst: 1 });
  assert.equal(waitMs(limiter, '192.0.2.1', []), 0);
  assert.notEqual(waitMs(limiter, '192.0.2.2', []), 0);
});

test('each value of a header has its allowance; requests without it share one', () => {
  const { limiter } = limiterWith({ key: { kind: 'header', name: 'x-key' }, burst: 1 });
  assert.equal(waitMs(limiter, '192.0.2.1', ['X-Key', 'a']), 0);
  assert.equal(waitMs(limiter, '192.0.2.1', ['X-Key', 'b']), 0);
  assert.notEqual(waitMs(limiter, '192.0.2.2', ['x-key', 'a']), 0);
  assert.equal(waitMs(limiter, '192.0.2.1', []), 0);
  assert.notEqual(waitMs(limiter, '192.0.2.2', []), 0);
});

test('an endless header value does not become an endless key', () => {
  const { limiter } = limiterWith({ key: { kind: 'header', name: 'x-key' }, burst: 1 });
  assert.equal(waitMs(limiter, '', ['X-Key', 'a'.repeat(10_000)]), 0);
  assert.notEqual(waitMs(limiter, '', ['X-Key', `${'a'.repeat(128)}b`]), 0, 'cut after 128 characters');
});

test(`it admits exactly what a queue that leaks at the rate has room for (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  const below = (limit: number) => Math.floor(random.unit() * limit);
  for (let round = 0; round < 50; round++) {
    // Powers of two, so that the model and the formula are exact in floating point.
    const intervalMs = 2 ** below(6);
    const burst = 1 + below(6);
    const { clock, limiter } = limiterWith({ count: 1, periodMs: intervalMs, burst });
    const levels = new Map<string, number>(); // milliseconds of work in the bucket of each client
    for (let step = 0; step < 500; step++) {
      const passedMs = below(3) === 0 ? below(3 * intervalMs) : below(2);
      clock.advance(passedMs);
      for (const [ip, level] of levels) levels.set(ip, Math.max(0, level - passedMs));
      const ip = `192.0.2.${below(4)}`;
      const level = levels.get(ip) ?? 0;
      const overflowMs = level + intervalMs - intervalMs * burst;
      if (overflowMs <= 0) levels.set(ip, level + intervalMs);
      const context = `seed ${SEED}, round ${round}, step ${step}, interval ${intervalMs}, burst ${burst}`;
      assert.equal(waitMs(limiter, ip, []), Math.max(0, overflowMs), context);
    }
  }
});

test('a full table forgets only keys that have their full allowance back', () => {
  const { clock, limiter } = limiterWith({ burst: 1 }, 2);
  waitMs(limiter, '192.0.2.1', []);
  clock.advance(60);
  waitMs(limiter, '192.0.2.2', []);
  clock.advance(40); // the first is idle now, the second is not
  assert.equal(waitMs(limiter, '192.0.2.3', []), 0);
  assert.equal(waitMs(limiter, '192.0.2.2', []), 60, 'not forgotten');
  assert.equal(waitMs(limiter, '192.0.2.3', []), 100, 'has taken the place of the first');
});

test('when no key can be forgotten, new ones share one allowance, and no known key loses its own', () => {
  const { clock, limiter } = limiterWith({ burst: 1 }, 2);
  waitMs(limiter, '192.0.2.1', []);
  waitMs(limiter, '192.0.2.2', []);
  assert.equal(waitMs(limiter, '192.0.2.3', []), 0, 'the shared allowance');
  assert.equal(waitMs(limiter, '192.0.2.4', []), 100, 'used up by the other newcomer');
  assert.equal(waitMs(limiter, '192.0.2.1', []), 100, 'not reset, not lengthened');
  clock.advance(100);
  assert.equal(waitMs(limiter, '192.0.2.4', []), 0, 'there is capacity again');
});

test('an idle key behind a crowd of live ones is found', () => {
  const { clock, limiter } = limiterWith({ count: 1, periodMs: 1_000, burst: 10 }, 16);
  for (let at = 0; at < 15; at++)
    for (let burst = 0; burst < 10; burst++) waitMs(limiter, `192.0.2.${at}`, []);
  waitMs(limiter, '192.0.2.99', []);
  clock.advance(1_000); // only the last one is idle; the hand is there with the second newcomer
  waitMs(limiter, '198.51.100.1', []);
  for (let at = 0; at < 10; at++)
    assert.equal(waitMs(limiter, '198.51.100.2', []), 0, 'an allowance of its own');
  assert.equal(waitMs(limiter, '192.0.2.5', []), 0, 'earned in the second that passed');
  assert.equal(waitMs(limiter, '192.0.2.5', []), 1_000, 'those that used theirs up are not forgotten');
});

test('a flood of addresses does not grow the table', () => {
  const { limiter } = limiterWith({ burst: 1 }, 100);
  let admitted = 0;
  for (let at = 0; at < 10_000; at++)
    if (waitMs(limiter, `10.${at >> 8}.0.${at & 255}`, []) === 0) admitted++;
  assert.equal(admitted, 101, 'one for each place in the table, and the shared one');
});

test('a limit that a reload changes or inserts gives nobody a new allowance', () => {
  const clock = new FakeClock();
  const kept = new RouteAllowances();
  const rate = (count: number, periodMs = 60_000) => ({ ...SETTINGS, count, periodMs, burst: count });
  const limiter = (limits: RateLimitSettings[], at: number) => {
    const allowances = kept.assign(limits, () => new Allowances(clock))[at];
    return new RateLimiter(limits[at] as RateLimitSettings, allowances as Allowances);
  };
  const left = (one: RateLimiter) => admit(one, '192.0.2.1').left;
  const old = limiter([rate(10)], 0);
  for (let count = 0; count < 8; count++) left(old);
  assert.equal(left(limiter([rate(20)], 0)), 11, '8 of 20 and this one');
  assert.equal(left(limiter([rate(5, 1_000), rate(20)], 1)), 10, 'an inserted one takes nothing away');
  const lower = limiter([rate(5, 1_000), rate(5)], 1);
  assert.equal(admit(lower, '192.0.2.1').retryAfterMs, 12_000, 'nobody has used more than the new burst');
  assert.equal(left(limiter([rate(5, 1_000), rate(5), rate(50)], 2)), 49, 'a third one of its own');
  kept.dispose();
  assert.equal(left(limiter([rate(5)], 0)), 4, 'a route that is gone keeps nothing');
});

test('what is given back is as if it had never been charged, whoever was charged since', () => {
  const { clock, limiter } = limiterWith();
  const first = admit(limiter, '192.0.2.1');
  assert.equal(admit(limiter, '192.0.2.1').left, 1);
  limiter.giveBack(first);
  assert.deepEqual([admit(limiter, '192.0.2.1').left, admit(limiter, '192.0.2.1').left], [1, 0]);
  clock.advance(10_000);
  const late = admit(limiter, '192.0.2.1');
  clock.advance(10_000);
  limiter.giveBack(late);
  assert.equal(admit(limiter, '192.0.2.1').left, 2, 'never more than the burst');
});

test('says when the whole allowance is back', () => {
  const { limiter } = limiterWith();
  const resets = [1, 2, 3, 4].map(() => admit(limiter, '192.0.2.1').resetMs);
  assert.deepEqual(resets, [100, 200, 300, 300]);
});

test('a decision that is not taken costs nothing', () => {
  const { limiter } = limiterWith({ burst: 1 });
  const request = { clientIp: '192.0.2.1', authority: 'a.example', headers: [] };
  for (let count = 0; count < 5; count++) assert.equal(limiter.decide(request).retryAfterMs, 0);
  limiter.take(limiter.decide(request));
  assert.equal(limiter.decide(request).retryAfterMs, 100);
});

test('a limit by host counts the authority, whatever the protocol calls it and in whatever case', () => {
  const { limiter } = limiterWith({ key: { kind: 'header', name: 'host' }, burst: 1 });
  assert.equal(admit(limiter, '192.0.2.1', [], 'a.example').retryAfterMs, 0);
  assert.equal(admit(limiter, '192.0.2.2', ['Host', 'A.example'], 'A.example').retryAfterMs, 100);
  assert.equal(admit(limiter, '192.0.2.2', [], 'b.example').retryAfterMs, 0);
});
