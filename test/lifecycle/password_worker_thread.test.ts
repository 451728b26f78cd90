import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPasswordWorker } from '../../src/lifecycle/password_worker_thread.ts';
import { checkLeaks } from '../support/leak_check.ts';

checkLeaks();

const HASH = '$2y$05$AbO6JwgAPxDki9oJJ2Gq7uWlWptkvDEpqlIQ6LkujLIWDRwH4JxUC';

test('the thread answers in the order of the questions, and closing it calls no callback', async () => {
  const answers: boolean[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const worker = startPasswordWorker(
    isRight => {
      answers.push(isRight);
      if (answers.length === 2) resolve();
    },
    () => answers.push(false),
  );
  // It does not hold the process by itself.
  const hold = setInterval(() => {}, 1_000);
  worker.ask(HASH, 'open sesame');
  worker.ask(HASH, 'sesame');
  await done;
  clearInterval(hold);
  worker.close();
  assert.deepEqual(answers, [true, false]);
});

test('a thread that fails calls onDeath', async () => {
  const { promise: dead, resolve } = Promise.withResolvers<void>();
  const worker = startPasswordWorker(() => assert.fail('there is no answer'), resolve);
  const hold = setInterval(() => {}, 1_000);
  worker.ask('no hash at all', 'x');
  await dead;
  clearInterval(hold);
  worker.close();
});
