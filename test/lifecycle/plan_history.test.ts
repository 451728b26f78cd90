// What ran before can run again, as long as it is kept.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlanOrigins } from '../../src/config/plan_origins.ts';
import { PlanHistory } from '../../src/lifecycle/plan_history.ts';
import { forwardTo, planOf } from '../support/plan_builder.ts';

const loaded = (port: number) => ({
  plan: planOf(forwardTo([`127.0.0.1:${port}`], { process: { reload: { history: 3 } } })),
  origins: new PlanOrigins(new Map()),
  secrets: [],
  warnings: [],
  source: '',
  files: new Map(),
});
type Loaded = ReturnType<typeof loaded>;

test('a rollback finds the previous plan, or the one whose digest begins as given', () => {
  const history = new PlanHistory();
  assert.equal(history.find(null), 'there is no earlier plan to go back to');
  const plans = [1, 2, 3, 4].map(loaded);
  for (const one of plans) history.remember(one, 0, true);
  assert.equal(history.find(null), plans[2]);
  assert.equal(history.find(plans[1]?.plan.digest.slice(0, 8) ?? ''), plans[1]);
  assert.match(
    String(history.find(plans[0]?.plan.digest ?? '')),
    /plan .* is not kept; kept plans:/,
    'only three are kept',
  );
  assert.match(String(history.find('')), /several plans begin with/);
  assert.equal(history.list().length, 3);
});

test('going back twice is going back further, not to and fro', () => {
  const history = new PlanHistory();
  const [a, b, bad] = [1, 2, 3].map(loaded);
  for (const one of [a, b, bad]) if (one !== undefined) history.remember(one, 0, true);
  const back = () => {
    const found = history.find(null);
    if (typeof found !== 'string') history.remember(found, 0, true);
    return found;
  };
  assert.deepEqual([back(), back(), back()], [b, a, 'there is no earlier plan to go back to']);
});

test('what came later than the plan that was gone back to is kept, and is not the one before', () => {
  const history = new PlanHistory();
  const [a, bad, next] = [1, 2, 3].map(loaded) as [Loaded, Loaded, Loaded];
  for (const one of [a, bad, a, next]) history.remember(one, 0, true);
  assert.equal(history.find(bad.plan.digest), bad);
  assert.equal(history.find(null), a, 'the plan that ran when the newest one came');
  assert.deepEqual(
    history.list().map(({ digest }) => digest),
    [next, a, bad].map(({ plan }) => plan.digest),
    'the running one first, each once',
  );
});

test('a plan that was read again has the lines of the file as it is now', () => {
  const history = new PlanHistory();
  const [before, running] = [1, 2].map(loaded) as [Loaded, Loaded];
  for (const one of [before, running]) history.remember(one, 0, true);
  const moved = { ...running, origins: new PlanOrigins(new Map([['routes.0', 'app.yaml:9']])) };
  history.refresh(moved);
  assert.deepEqual([history.find(running.plan.digest), history.find(null)], [moved, before]);
});
