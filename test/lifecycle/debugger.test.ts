import assert from 'node:assert/strict';
import inspector from 'node:inspector';
import { test } from 'node:test';
import { keepDebuggerClosed } from '../../src/lifecycle/debugger.ts';
import { FakeClock } from '../support/fake_clock.ts';

/** The runner gives its own options to the processes of its tests. */
function withArguments(given: readonly string[], use: () => void): void {
  const { execArgv } = process;
  process.execArgv = [...given];
  use();
  process.execArgv = execArgv;
}

test('a debugger that a signal opens in the first two seconds is closed each time, and then nothing looks any more', () => {
  const clock = new FakeClock();
  withArguments([], () => keepDebuggerClosed(clock));
  for (const waitedMs of [0, 1_800]) {
    clock.advance(waitedMs);
    inspector.open(0, '127.0.0.1');
    clock.advance(50);
    assert.equal(inspector.url(), undefined);
  }
  clock.advance(1_000);
  assert.equal(clock.pendingTimers, 0);
});

test('a debugger that was asked for on the command line stays', () => {
  const clock = new FakeClock();
  inspector.open(0, '127.0.0.1');
  withArguments(['--inspect=0'], () => keepDebuggerClosed(clock));
  assert.deepEqual([inspector.url() === undefined, clock.pendingTimers], [false, 0]);
  inspector.close();
});
