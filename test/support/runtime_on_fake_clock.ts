/** What outlives a plan, on a clock that the test moves: for tests of what is built from plans, and of what follows them. */

import type { Plan } from '../../src/config/plan.ts';
import { createRuntime, type Runtime } from '../../src/lifecycle/runtime_state.ts';
import type { LookUp } from '../../src/net/resolver.ts';
import { FakeClock } from './fake_clock.ts';
import { LogLines } from './log_lines.ts';
import { seededRandom } from './seeded_random.ts';

export interface RuntimeOnFakeClock {
  readonly clock: FakeClock;
  readonly runtime: Runtime;
  readonly lines: LogLines;
  /** A line of the log was lost. */
  readonly onDropped: () => void;
}

const NO_NAMES: LookUp = () => Promise.reject(new Error('a test on the fake clock has no names'));

export function runtimeOnFakeClock(
  plan: Pick<Plan, 'logging' | 'process'>,
  lookUp: LookUp = NO_NAMES,
  clock = new FakeClock(),
): RuntimeOnFakeClock {
  const lines = new LogLines();
  let onDropped = () => {};
  const openLog = (dropped: () => void) => {
    onDropped = dropped;
    return { write: (line: string) => lines.take(line), reopen() {}, flush: async () => {} };
  };
  const runtime = createRuntime(plan, openLog, lookUp, clock, seededRandom(1));
  return { clock, runtime, lines, onDropped: () => onDropped() };
}
