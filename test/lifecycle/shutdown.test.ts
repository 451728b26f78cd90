import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Shutdown } from '../../src/lifecycle/shutdown.ts';
import { FakeClock } from '../support/fake_clock.ts';

function shutdown() {
  const clock = new FakeClock();
  const story: string[] = [];
  const { promise: idle, resolve: becomeIdle } = Promise.withResolvers<void>();
  const subject = new Shutdown(
    {
      enterPhase: phase => story.push(phase),
      announce: () => story.push('announce'),
      stopAccepting: async () => void story.push('stop accepting'),
      closeIdleConnections: () => story.push('close idle'),
      idle: () => idle,
      abortRequests: () => story.push('abort'),
      release: async result => void story.push(`release ${result}`),
    },
    clock,
  );
  return { clock, story, subject, becomeIdle };
}

test('it leaves as soon as nothing is in flight, cleanly', async () => {
  const { story, subject, becomeIdle, clock } = shutdown();
  const done = subject.begin({ delayMs: 0, timeoutMs: 30_000 }, 'SIGTERM');
  await turn();
  assert.deepEqual(story, ['lame_duck', 'announce', 'draining', 'stop accepting', 'close idle']);
  becomeIdle();
  assert.equal(await done, 'clean');
  assert.deepEqual(story.slice(5), ['release clean', 'stopped']);
  assert.equal(clock.pendingTimers, 0);
});

test('traffic still flows for the delay', async () => {
  const { clock, story, subject, becomeIdle } = shutdown();
  const done = subject.begin({ delayMs: 5_000, timeoutMs: 30_000 }, 'SIGTERM');
  becomeIdle();
  clock.advance(4_999);
  await turn();
  assert.deepEqual(story, ['lame_duck', 'announce']);
  clock.advance(1);
  assert.equal(await done, 'clean');
});

test('at the timeout, or when it is asked a second time, the rest is ended by force', async () => {
  for (const hurry of ['time', 'signal']) {
    const { clock, story, subject } = shutdown();
    const done = subject.begin({ delayMs: 0, timeoutMs: 1_000 }, 'SIGTERM');
    await turn();
    if (hurry === 'time') clock.advance(1_000);
    else void subject.begin({ delayMs: 0, timeoutMs: 1_000 }, 'SIGTERM');
    await turn();
    clock.advance(1_000); // the last words
    assert.equal(await done, 'forced', hurry);
    assert.deepEqual(story.slice(5), ['forcing', 'abort', 'release forced', 'stopped']);
  }
});

test('it says until when it waits: first for delay and timeout, then for the timeout, when forced for nothing', async () => {
  const { clock, subject } = shutdown();
  const startedAtMs = clock.nowMs();
  assert.equal(subject.progress, null);
  const done = subject.begin({ delayMs: 5_000, timeoutMs: 30_000 }, 'SIGTERM');
  assert.deepEqual(subject.progress, { cause: 'SIGTERM', deadlineAtMs: startedAtMs + 35_000 });
  clock.advance(5_500); // the timer of the delay is late
  await turn();
  assert.deepEqual(subject.progress, { cause: 'SIGTERM', deadlineAtMs: startedAtMs + 35_500 });
  clock.advance(500);
  void subject.begin({ delayMs: 5_000, timeoutMs: 30_000 }, 'SIGINT');
  await turn();
  assert.deepEqual(subject.progress, {
    cause: 'SIGINT, requested again',
    deadlineAtMs: startedAtMs + 6_000,
  });
  clock.advance(1_000);
  await done;
});
