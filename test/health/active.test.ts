import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Prober, probePauseMs } from '../../src/health/active.ts';
import { Outage } from '../../src/health/outage.ts';
import type { OpenSocket } from '../../src/health/probe.ts';
import { EndpointHealth } from '../../src/health/state.ts';
import type { Random } from '../../src/resilience/random.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261121);
const settings = {
  probe: { kind: 'tcp' as const },
  intervalMs: 10_000,
  timeoutMs: 500,
  healthyAfter: 2,
  unhealthyAfter: 2,
};
const middle: Random = { unit: () => 0.5, requestId: () => '', hex: () => '' }; // no jitter

/** `answers` says of each probe whether it connects, or null: no answer ever comes. */
function prober(answers: (number: number) => boolean | null, random = middle) {
  const clock = new FakeClock();
  const health = new EndpointHealth(settings, clock.nowMs());
  const sentAtMs: number[] = [];
  let open = 0;
  const openSocket: OpenSocket = callback => {
    const answer = answers(sentAtMs.push(clock.nowMs()));
    open++;
    const giveUp = () => {
      open--;
    };
    if (answer === true) callback(null, { destroy: giveUp } as unknown as Socket);
    else if (answer === false) {
      giveUp();
      callback({ kind: 'connect_refused', code: 'ECONNREFUSED' }, null);
    }
    return giveUp;
  };
  const outage = new Outage();
  const subject = new Prober(settings, { open: openSocket, authority: 'a' }, health, clock, random, outage);
  return { clock, outage, health, subject, sentAtMs, count: () => sentAtMs.length, openSockets: () => open };
}

test('the first probe is made at once, failures are looked at again soon, and a dead one ever more seldom', () => {
  const { clock, health, subject, count } = prober(() => false);
  subject.start();
  assert.equal(count(), 1);
  clock.advance(2_000);
  assert.deepEqual([count(), health.state], [2, 'unhealthy'], 'sooner than the interval while it changes');
  clock.advance(10_000);
  assert.equal(count(), 3);
  clock.advance(20_000);
  assert.equal(count(), 4, 'the pause has doubled');
  clock.advance(29_999);
  assert.equal(count(), 4);
  clock.advance(1);
  assert.equal(count(), 5, 'and is 30 s at most');
  subject.dispose();
  assert.equal(clock.pendingTimers, 0);
});

test('a dead endpoint that answers again is back after the successes it needs, quickly', () => {
  let alive = false;
  const { clock, health, subject, count } = prober(() => alive);
  subject.start();
  clock.advance(100_000);
  assert.equal(health.state, 'unhealthy');
  alive = true;
  for (const before = count(); count() === before; ) clock.advance(100);
  assert.equal(health.state, 'unhealthy', 'one success');
  clock.advance(2_000);
  assert.equal(health.state, 'healthy', 'the second one comes soon');
  subject.dispose();
});

test(`intervals have 20 % of jitter, so that probes do not march in step (seed ${SEED})`, () => {
  const { clock, subject, sentAtMs } = prober(() => true, seededRandom(SEED));
  subject.start();
  clock.advance(2_000_000);
  subject.dispose();
  const gaps = sentAtMs.slice(1).map((ms, at) => ms - (sentAtMs[at] ?? 0));
  const [least, most] = [Math.min(...gaps), Math.max(...gaps)];
  assert.ok(least >= 8_000 && least < 8_500, `shortest ${least}`);
  assert.ok(most <= 12_000 && most > 11_500, `longest ${most}`);
});

test('a probe without an answer has failed after its time, and there is never a second one beside it', () => {
  const { clock, health, subject, count, openSockets } = prober(() => null);
  subject.start();
  clock.advance(499);
  assert.deepEqual([count(), openSockets(), health.lastError], [1, 1, null]);
  clock.advance(1);
  assert.deepEqual([openSockets(), health.lastError], [0, 'no response within 500 ms']);
  clock.advance(60_000);
  assert.ok(openSockets() <= 1);
  subject.dispose();
  assert.deepEqual([openSockets(), clock.pendingTimers], [0, 0]);
});

test('a probe that was stopped says nothing any more', () => {
  const { clock, health, subject, openSockets } = prober(() => null);
  subject.start();
  subject.dispose();
  clock.advance(60_000);
  assert.deepEqual(
    [health.state, health.lastError, openSockets(), clock.pendingTimers],
    ['unknown', null, 0, 0],
  );
});

test('a prober that is stopped because of what it found does not go on', () => {
  const { clock, health, subject, count } = prober(() => false);
  health.subscribe(() => subject.dispose());
  subject.start();
  clock.advance(600_000);
  assert.deepEqual([health.state, count(), clock.pendingTimers], ['unhealthy', 2, 0]);
});

test('a successful probe that was sent after an ejection lifts it', () => {
  const { clock, health, subject } = prober(() => true);
  subject.start();
  health.eject('traffic', clock.nowMs() + 1);
  clock.advance(10_000);
  assert.equal(health.state, 'healthy');
  subject.dispose();
});

test('a probe that was on its way when traffic ejected the endpoint does not lift the ejection', () => {
  const clock = new FakeClock();
  const health = new EndpointHealth(settings, clock.nowMs());
  const waiting: Parameters<OpenSocket>[0][] = [];
  const open: OpenSocket = callback => {
    waiting.push(callback);
    return () => {};
  };
  const subject = new Prober(settings, { open, authority: 'a' }, health, clock, middle, new Outage());
  const socket = { destroy: () => {} } as unknown as Socket;
  subject.start();
  clock.advance(100);
  health.eject('traffic', clock.nowMs());
  clock.advance(100);
  waiting.shift()?.(null, socket);
  assert.equal(health.state, 'ejected');
  clock.advance(10_000);
  waiting.shift()?.(null, socket);
  assert.equal(health.state, 'healthy', 'the next one was sent later');
  subject.dispose();
});

test('a dead endpoint is asked ever more seldom also while it is ejected', () => {
  const { clock, health, subject, sentAtMs } = prober(() => false);
  health.eject('traffic', clock.nowMs());
  subject.start();
  clock.advance(120_000);
  subject.dispose();
  const gaps = sentAtMs.slice(1).map((ms, at) => ms - (sentAtMs[at] ?? 0));
  assert.deepEqual(gaps, [2_000, 10_000, 20_000, 30_000, 30_000]);
});

test('the pause is never shorter than the interval because an endpoint is down', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 50, 5_000].map(failures => probePauseMs(60_000, false, failures)),
    [60_000, 60_000, 60_000, 60_000, 60_000, 60_000],
  );
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5_000].map(failures => probePauseMs(5_000, false, failures)),
    [5_000, 5_000, 10_000, 20_000, 30_000, 30_000],
  );
  assert.deepEqual([probePauseMs(500, true, 0), probePauseMs(5_000, true, 0)], [500, 2_000]);
});

test('while no other endpoint is eligible, a dead one is probed every interval', () => {
  const { clock, outage, subject, sentAtMs } = prober(() => false);
  outage.become(true);
  subject.start();
  clock.advance(120_000);
  subject.dispose();
  const gaps = sentAtMs.slice(2).map((ms, at) => ms - (sentAtMs[at + 1] ?? 0));
  assert.ok(gaps.length > 5 && gaps.every(gap => gap === settings.intervalMs), gaps.join());
});

test('when the last eligible endpoint goes, slowly probed ones are probed within an interval', () => {
  const { clock, outage, subject, sentAtMs } = prober(() => false);
  subject.start();
  clock.advance(100_000); // the pause is 30 s by now
  for (const known = sentAtMs.length; sentAtMs.length === known; ) clock.advance(100);
  const before = sentAtMs.length;
  outage.become(true);
  clock.advance(settings.intervalMs);
  assert.equal(sentAtMs.length, before + 1);
  outage.become(true);
  subject.dispose();
  outage.become(false);
  outage.become(true);
  assert.equal(clock.pendingTimers, 0, 'nobody is woken who has ended');
});

test('a probe that this machine could not send gives no verdict, and is repeated after an interval', () => {
  const clock = new FakeClock();
  const health = new EndpointHealth(settings, clock.nowMs());
  let asked = 0;
  const open: OpenSocket = callback => {
    asked++;
    callback({ kind: 'local_exhausted', code: 'EMFILE' }, null);
    return () => {};
  };
  const subject = new Prober(settings, { open, authority: 'a' }, health, clock, middle, new Outage());
  const before = health.state;
  subject.start();
  for (let count = 0; count < 5; count++) clock.advance(10_000);
  assert.deepEqual([asked, health.state], [6, before]);
  subject.dispose();
  assert.equal(clock.pendingTimers, 0, 'no timer is left');
});
