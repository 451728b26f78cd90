/**
 * Plan storm: another plan that says the same is swapped in whenever a request begins or ends. `test/run.ts` runs some files a
 * second time like this: nothing of what a test observes may depend on the plane that a request began on being the current one.
 *
 * A reload does nothing for the same digest, so two plans take turns that differ in what traffic cannot see: how many older plans are
 * kept. They come by the way of every reload: file, loader, compiler, assembly, swap.
 */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { RunningProxy } from '../../src/lifecycle/running_proxy.ts';
import type { Config } from './plan_builder.ts';
import { PLAN_STORM } from './plan_storm_variable.ts';

export interface PlanStorm {
  /** No further swap begins. */
  stop(): void;
  /** Resolves to the number of swaps when none is under way; fails when one of them was not applied. */
  readonly ended: Promise<number>;
}

/** Null: no storm was asked for, or the configuration of the test is a text, whose exact bytes are the point. */
export function startPlanStorm(
  proxy: Pick<RunningProxy, 'reload' | 'phase' | 'runtime'>,
  config: Config,
  write: (config: Config) => void,
): PlanStorm | null {
  if (process.env[PLAN_STORM] !== '1' || typeof config === 'string') return null;
  let stopped = false;
  const traffic = watchTraffic(proxy.runtime.traffic.active);
  const blow = async (): Promise<number> => {
    for (let swaps = 0; ; swaps++) {
      await traffic.changed();
      await turn(); // what has begun goes on, and is under way when the plan changes
      if (stopped) return swaps;
      write(withHistory(config, swaps % 2 === 0 ? 6 : 7));
      const result = await proxy.reload('signal');
      // A test may drain the proxy itself, and then nothing is swapped any more.
      if (stopped || proxy.phase !== 'serving') return swaps;
      assert.equal(result.kind, 'applied', JSON.stringify(result));
    }
  };
  const stop = () => {
    stopped = true;
    traffic.notice();
  };
  return { stop, ended: blow() };
}

/** `changed` resolves when a request has begun or ended since it was asked the last time. */
function watchTraffic(active: RunningProxy['runtime']['traffic']['active']) {
  let hasChanged = false;
  let wake = () => {};
  const notice = () => {
    hasChanged = true;
    wake();
  };
  const { add, remove } = active;
  active.add = member => {
    add.call(active, member);
    notice();
  };
  active.remove = member => {
    remove.call(active, member);
    notice();
  };
  const changed = async () => {
    while (!hasChanged)
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    hasChanged = false;
  };
  return { changed, notice };
}

function withHistory(config: Readonly<Record<string, unknown>>, history: number): Config {
  const section = (parent: unknown, name: string): Record<string, unknown> =>
    ({ ...((parent as Record<string, Record<string, unknown> | undefined>)[name] ?? {}) }) as Record<
      string,
      unknown
    >;
  const processSection = section(config, 'process');
  return {
    ...config,
    process: { ...processSection, reload: { ...section(processSection, 'reload'), history } },
  };
}
