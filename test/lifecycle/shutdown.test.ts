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
      release: async () => void story.push('release'),
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
  assert.deepEqual(story.slice(5), ['release', 'stopped']);
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
    assert.deepEqual(story.slice(5), ['forcing', 'abort', 'release', 'stopped']);
  }
});
