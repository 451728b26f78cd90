// The queue of password checks: a fake thread and a fake clock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  PasswordChecks,
  type PasswordQuestion,
  type PasswordVerdict,
} from '../../src/security/password_checks.ts';
import { FakeClock } from '../support/fake_clock.ts';

const QUESTION: PasswordQuestion = {
  name: 'alice',
  password: 'right',
  passwordHash: 'hash of alice',
  isDecoy: false,
  client: '192.0.2.1',
};

function start() {
  const clock = new FakeClock();
  const asked: string[] = [];
  let started = 0;
  let closed = 0;
  let die = (): void => {};
  let reply = (_isRight: boolean): void => {};
  const checks = new PasswordChecks((onAnswer, onDeath) => {
    started++;
    reply = onAnswer;
    die = onDeath;
    return { ask: (_hash, password) => asked.push(password), close: () => closed++ };
  }, clock);
  const check = (parts: Partial<PasswordQuestion> = {}) => {
    const got: PasswordVerdict[] = [];
    const giveUp = checks.check({ ...QUESTION, ...parts }, verdict => got.push(verdict));
    return { giveUp, got };
  };
  return {
    clock,
    asked,
    checks,
    check,
    answer: (isRight: boolean) => reply(isRight),
    die: () => die(),
    get workers() {
      return [started, closed];
    },
  };
}

test('a right password is remembered while it is used, and then checked again', () => {
  const { clock, asked, check, answer } = start();
  const first = check();
  assert.deepEqual(first.got, []);
  answer(true);
  assert.deepEqual(first.got, ['right']);
  for (let count = 0; count < 5; count++) {
    clock.advance(599_999);
    assert.deepEqual(check().got, ['right'], 'in the same turn');
  }
  clock.advance(600_000);
  assert.deepEqual(check().got, []);
  assert.equal(asked.length, 2);
});

test('another password, name or hash is another question', () => {
  const { check, answer, asked } = start();
  check();
  answer(true);
  for (const other of [
    { password: 'other' },
    { name: 'bob' },
    { passwordHash: 'new hash' },
    { isDecoy: true },
  ]) {
    assert.deepEqual(check(other).got, []);
    answer(false);
  }
  assert.equal(asked.length, 5);
});

test('a wrong password is remembered for a short time', () => {
  const { clock, asked, check, answer } = start();
  check({ password: 'wrong' });
  answer(false);
  clock.advance(9_999);
  assert.deepEqual(check({ password: 'wrong' }).got, ['wrong']);
  clock.advance(1);
  assert.deepEqual(check({ password: 'wrong' }).got, []);
  assert.equal(asked.length, 2);
});

test('many guesses do not displace known users', () => {
  const { check, answer, asked } = start();
  check();
  answer(true);
  for (let count = 0; count < 5_000; count++) {
    check({ password: `guess ${count}` });
    answer(false);
  }
  assert.deepEqual(check().got, ['right']);
  assert.equal(asked.length, 5_001);
});

test('the password of a decoy is wrong, even if it is right', () => {
  const { check, answer } = start();
  const { got } = check({ name: 'nobody', isDecoy: true });
  answer(true);
  assert.deepEqual(got, ['wrong']);
});

test('equal questions share one check, and one of the clients can leave', () => {
  const { check, answer, asked, checks } = start();
  check({ password: 'busy' });
  const [first, second, third] = [check(), check(), check()];
  assert.equal(checks.queueDepth, 1);
  second.giveUp();
  answer(false);
  const late = check();
  answer(true);
  assert.deepEqual([first.got, second.got, third.got, late.got], [['right'], [], ['right'], ['right']]);
  assert.deepEqual(asked, ['busy', 'right']);
});

test('a check whose clients have all left is not made', () => {
  const { check, answer, asked, checks, clock } = start();
  check({ password: 'busy' });
  check({ password: 'left' }).giveUp();
  assert.deepEqual([checks.queueDepth, clock.pendingTimers], [0, 0]);
  const last = check({ password: 'last' });
  answer(false);
  answer(true);
  assert.deepEqual([asked, last.got], [['busy', 'last'], ['right']]);
});

test('one client has a part of the queue, and all together have all of it; more is too much at once', () => {
  const { check, checks } = start();
  check({ password: 'busy' });
  const ofOne = Array.from({ length: 20 }, (_, at) => check({ password: `guess ${at}` }).got[0] ?? 'waits');
  assert.deepEqual(ofOne.filter(verdict => verdict === 'waits').length, 8);
  assert.equal(ofOne.at(-1), 'overloaded');
  for (let at = 0; at < 100; at++) check({ password: `x ${at}`, client: `198.51.100.${at}` });
  assert.equal(checks.queueDepth, 64);
  assert.deepEqual(check({ client: '203.0.113.1' }).got, ['overloaded']);
});

test('clients take turns: a new one waits for one check of each client, not for all of a busy one', () => {
  const { check, answer, asked } = start();
  for (let at = 0; at < 5; at++) check({ password: `a${at}`, client: 'a' });
  for (let at = 0; at < 2; at++) check({ password: `b${at}`, client: 'b' });
  check({ password: 'c0', client: 'c' });
  for (let at = 0; at < 7; at++) answer(false);
  assert.deepEqual(asked, ['a0', 'a1', 'b0', 'c0', 'a2', 'b1', 'a3', 'a4']);
});

test('no check waits longer than five seconds for the thread', () => {
  const { clock, check, answer, asked } = start();
  check({ password: 'busy' });
  const waits = check();
  clock.advance(4_999);
  assert.deepEqual(waits.got, []);
  clock.advance(1);
  assert.deepEqual(waits.got, ['overloaded']);
  answer(false);
  assert.deepEqual(asked, ['busy']);
});

test('a thread that dies fails the check that it had, and the next one gets another thread', () => {
  const parts = start();
  const [first, second] = [parts.check(), parts.check({ password: 'next' })];
  parts.die();
  assert.deepEqual([first.got, second.got], [['failed'], []]);
  parts.answer(true);
  assert.deepEqual([second.got, parts.workers], [['right'], [2, 0]]);
});

test('the thread starts with the first check, and ends when no route needs it', () => {
  const parts = start();
  assert.deepEqual(parts.workers, [0, 0]);
  const [first, second] = [parts.check(), parts.check({ password: 'next' })];
  parts.checks.dispose();
  assert.deepEqual([first.got, second.got, parts.workers], [['overloaded'], ['overloaded'], [1, 1]]);
  assert.equal(parts.clock.pendingTimers, 0);
});
