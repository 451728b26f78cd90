import assert from 'node:assert/strict';
import { test } from 'node:test';
import v8 from 'node:v8';
import { collectAll, releaseStartMemory } from '../../src/lifecycle/start_memory.ts';
import { FakeClock } from '../support/fake_clock.ts';

test('memory of the start is given back once, in the first second without a connection', () => {
  const clock = new FakeClock();
  let connections = 1;
  let collected = 0;
  releaseStartMemory(
    clock,
    () => connections === 0,
    () => {
      collected += 1;
    },
  );
  clock.advance(5_000);
  assert.equal(collected, 0, 'a client is not kept waiting');
  connections = 0;
  clock.advance(1_000);
  assert.equal(collected, 1);
  clock.advance(60_000);
  assert.deepEqual([collected, clock.pendingTimers], [1, 0]);
});

test('a process that is busy for its first minute is left alone', () => {
  const clock = new FakeClock();
  releaseStartMemory(
    clock,
    () => false,
    () => assert.fail('collected'),
  );
  clock.advance(60_000);
  assert.equal(clock.pendingTimers, 0);
});

test('a collection makes the young generation small', () => {
  const youngBytes = () =>
    v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.physical_space_size ??
    assert.fail('V8 has another name for it');
  const kept: object[] = [];
  while (youngBytes() < 4 * 1_024 * 1_024) kept.push(Array.from({ length: 1_000 }, (_, at) => ({ at })));
  collectAll();
  assert.ok(youngBytes() < 1_024 * 1_024, `${youngBytes()} bytes, with ${kept.length} kept`);
  assert.equal(Reflect.has(globalThis, 'gc'), false, 'and no program gets to collect');
});
