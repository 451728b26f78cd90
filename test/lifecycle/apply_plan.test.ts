import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applyPlan as applyPrepared,
  confirmPlan,
  type PlanFollowers,
} from '../../src/lifecycle/apply_plan.ts';
import { assembleAtOnce, prepareRoutes } from '../../src/lifecycle/assemble.ts';
import { PlanHistory } from '../../src/lifecycle/plan_history.ts';
import type { LoadedPlan } from '../../src/lifecycle/running_plan.ts';
import { runAtOnce } from '../../src/resilience/time_slices.ts';
import { forwardTo, load } from '../support/plan_builder.ts';
import { runtimeOnFakeClock } from '../support/runtime_on_fake_clock.ts';

function loaded(watch = true, level = 'info', file = 'fairlead.yaml'): LoadedPlan {
  return load(forwardTo(['127.0.0.1:1'], { process: { reload: { watch } }, logging: { level } }), file);
}

function applyPlan(parts: PlanFollowers, next: LoadedPlan, isOlder: boolean): void {
  applyPrepared(parts, next, runAtOnce(prepareRoutes(next.plan)), isOlder);
}

/** What follows a plan notes it, with the digest that runs at that moment. */
function applying() {
  const first = loaded();
  const { runtime } = runtimeOnFakeClock(first.plan);
  const history = new PlanHistory();
  history.remember(first, 0, true);
  const running = { current: { loaded: first, plane: assembleAtOnce(first.plan, first.origins, runtime) } };
  const seen: unknown[] = [];
  const note = (what: string) => () => void seen.push([what, running.current.plane.digest.slice(0, 4)]);
  const watched: unknown[] = [];
  const parts = {
    running,
    runtime,
    history,
    overload: { setSettings: note('overload') },
    listeners: { commit: note('listeners') },
    certificates: { watch: note('certificates') },
    descriptors: { apply: note('descriptors') },
    portSharing: { apply: note('port sharing') },
    files: { watch: (files: unknown, isWanted: boolean) => watched.push([files, isWanted]) },
  } as unknown as PlanFollowers;
  return { parts, running, first, seen, watched, history, runtime };
}

test('whatever follows a plan finds it running already, and together with its plane', () => {
  const { parts, running, seen, first } = applying();
  const next = loaded(false);
  assert.notEqual(next.plan.digest, first.plan.digest);
  applyPlan(parts, next, false);
  const digest = next.plan.digest.slice(0, 4);
  assert.deepEqual(
    seen,
    ['overload', 'descriptors', 'port sharing', 'listeners', 'certificates'].map(what => [what, digest]),
  );
  assert.equal(running.current.loaded, next);
  assert.equal(running.current.plane.digest, next.plan.digest);
});

test('the log has the level of the new plan from the swap on', () => {
  const { parts, runtime } = applying();
  applyPlan(parts, loaded(true, 'debug'), false);
  assert.equal(runtime.telemetry.level, 'debug');
});

test('the files are watched as they were when they were read; after a rollback as they are now, or it would be undone at once', () => {
  const { parts, watched, history } = applying();
  const next = loaded();
  const read = new Map([['/nowhere/fairlead.yaml', 'as it was read']]);
  applyPlan(parts, { ...next, files: read }, false);
  assert.deepEqual(watched, [[read, true]]);
  assert.equal(history.isFromFile, true);
  const older = loaded(false);
  applyPlan(parts, { ...older, files: read }, true);
  assert.deepEqual(watched[1], [new Map([['/nowhere/fairlead.yaml', 'absent']]), false]);
  assert.equal(history.isFromFile, false, 'the file holds another plan');
});

test('a file that says the same on other lines changes the lines that are cited, and nothing that serves', () => {
  const { parts, running, seen, first } = applying();
  const { plane } = running.current;
  const same = loaded(true, 'info', 'moved.yaml');
  assert.equal(same.plan.digest, first.plan.digest);
  confirmPlan(parts, same);
  assert.equal(running.current.plane.listeners, plane.listeners);
  assert.equal(running.current.plane.clusters, plane.clusters);
  assert.equal(running.current.plane.origins, same.origins);
  assert.equal(parts.history.find(same.plan.digest), same);
  assert.deepEqual(seen, []);
});
