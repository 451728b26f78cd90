// The script of the shared store decides like the limiter of one process: a real server with its own clock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LIMIT_SCRIPT,
  type LimitQuestion,
  questionWords,
  readAnswers,
} from '../../src/security/limit_script.ts';
import { needs } from '../support/programs.ts';
import { type RedisServer, startRedis } from '../support/redis_server.ts';

const HOUR_MS = 3_600_000;
const LIMIT: LimitQuestion = { key: 'a', intervalMs: HOUR_MS, burst: 3, enforce: true };

async function ask(redis: RedisServer, ...questions: readonly LimitQuestion[]) {
  const reply = await redis.command('EVAL', LIMIT_SCRIPT, ...questionWords(questions, 'test:'));
  const answers = readAnswers(reply, questions.length);
  assert(answers !== null, JSON.stringify(reply));
  return answers;
}

/** To whole minutes: the server's clock goes on. */
const minutes = (ms: number): number => Math.round(ms / 60_000);

test('a burst passes at once, and then one request per interval', needs('redis-server'), async () => {
  await using redis = await startRedis();
  for (const [left, resetHours] of [
    [2, 1],
    [1, 2],
    [0, 3],
  ] as const) {
    const [answer] = await ask(redis, LIMIT);
    assert.deepEqual(
      [answer?.retryAfterMs, answer?.left, minutes(answer?.resetMs ?? 0)],
      [0, left, resetHours * 60],
    );
  }
  const [refused] = await ask(redis, LIMIT);
  assert.deepEqual(
    [minutes(refused?.retryAfterMs ?? 0), refused?.left, minutes(refused?.resetMs ?? 0)],
    [60, 0, 180],
  );
  const [again] = await ask(redis, LIMIT);
  assert.equal(minutes(again?.retryAfterMs ?? 0), 60, 'a refusal costs nothing');
  const ttlMs = Number(await redis.command('PTTL', 'test:a'));
  assert.equal(minutes(ttlMs), 180, 'it ends when its allowance is back');
});

test(
  'an interval that is no whole number of microseconds is kept exactly enough',
  needs('redis-server'),
  async () => {
    await using redis = await startRedis();
    const thirds = { ...LIMIT, intervalMs: 1_000_000 / 3, burst: 1_000 };
    for (let count = 0; count < 300; count++) await ask(redis, thirds);
    const [answer] = await ask(redis, thirds);
    assert.equal(answer?.left, 699);
  },
);

test(
  'none of several limits is charged when one that enforces refuses, one in shadow refuses nothing',
  needs('redis-server'),
  async () => {
    await using redis = await startRedis();
    const wide = { ...LIMIT, key: 'wide', burst: 5 };
    const narrow = { ...LIMIT, key: 'narrow', burst: 1 };
    const shadow = { ...LIMIT, key: 'shadow', burst: 1, enforce: false };
    const left = async (...questions: readonly LimitQuestion[]) =>
      (await ask(redis, ...questions)).map(one => one.left);
    assert.deepEqual(await left(wide, narrow, shadow), [4, 0, 0]);
    for (let count = 0; count < 3; count++) {
      const [first, second, third] = await ask(redis, wide, narrow, shadow);
      assert.deepEqual([first?.left, first?.retryAfterMs, minutes(second?.retryAfterMs ?? 0)], [3, 0, 60]);
      assert.equal(minutes(third?.retryAfterMs ?? 0), 60);
    }
    assert.deepEqual(await left(wide, shadow), [3, 0], 'one in shadow is over, and the other is charged');
    assert.deepEqual(await left(wide), [2]);
  },
);

test(
  'a limit whose rate changes goes on with what was used, counted in requests',
  needs('redis-server'),
  async () => {
    await using redis = await startRedis();
    const slow = { ...LIMIT, burst: 10 };
    const fast = { ...LIMIT, burst: 10, intervalMs: HOUR_MS / 60 };
    for (let count = 0; count < 4; count++) await ask(redis, slow);
    const [sooner] = await ask(redis, fast);
    assert.deepEqual([sooner?.left, minutes(sooner?.resetMs ?? 0)], [5, 5], 'five are used, a minute each');
    const [later] = await ask(redis, slow);
    assert.deepEqual([later?.left, minutes(later?.resetMs ?? 0)], [4, 360]);
    const [fewer] = await ask(redis, { ...fast, burst: 2 });
    assert.equal(minutes(fewer?.retryAfterMs ?? 0), 1, 'at most the new burst counts as used');
  },
);

test('only what the script answers is read as its answer', () => {
  assert.deepEqual(readAnswers([1_500, 0, 2_000_000], 1), [{ retryAfterMs: 1.5, left: 0, resetMs: 2_000 }]);
  for (const bad of [null, 'OK', [], [1, 2], [1, 2, '3'], [1, 2, 3, 4]])
    assert.equal(readAnswers(bad, 1), null);
});
