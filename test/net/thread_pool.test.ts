// Names have threads of their own number, unless an operator has decided otherwise.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NAME_THREADS, sizeThreadPool } from '../../src/net/thread_pool.ts';

test('the thread pool has twice the threads that names may have; a size that is set already holds', () => {
  const env: Record<string, string | undefined> = {};
  sizeThreadPool(env);
  assert.deepEqual(env, { UV_THREADPOOL_SIZE: String(2 * NAME_THREADS) });
  const own = { UV_THREADPOOL_SIZE: '4' };
  sizeThreadPool(own);
  assert.deepEqual(own, { UV_THREADPOOL_SIZE: '4' });
});
