import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { diffPlans } from '../../src/config/diff.ts';
import { PlanOrigins } from '../../src/config/plan_origins.ts';
import { Reloader, type ReloadResult, restartReasons } from '../../src/lifecycle/reload.ts';
import { runAtOnce } from '../../src/resilience/time_slices.ts';
import { forwardTo, planOf } from '../support/plan_builder.ts';

const one = planOf(forwardTo(['127.0.0.1:1']));
const two = planOf(forwardTo(['127.0.0.1:2']));
const elsewhere = planOf(forwardTo(['127.0.0.1:2'], { admin: { address: '127.0.0.1:9901' } }));

function reloader(next: typeof one, taken: string[] = [], origin = { isFromFile: true }) {
  let plan = one;
  let loads = 0;
  const reports: string[] = [];
  const sources: string[] = [];
  const applied: boolean[] = [];
  const confirmed: string[] = [];
  const gate = Promise.withResolvers<void>();
  const subject = new Reloader({
    get plan() {
      return plan;
    },
    isFromFile: origin.isFromFile,
    load: async source => {
      loads++;
      sources.push(source);
      await gate.promise;
      return {
        kind: 'loaded',
        plan: next,
        origins: new PlanOrigins(new Map()),
        warnings: [],
        files: new Map(),
        source: '',
      } as never;
    },
    isServing: true,
    compare: async after => runAtOnce(diffPlans(plan, after)),
    touched: changes => ({ total: changes.length, first: [] }),
    prepare: async () => new Map(),
    openListeners: async () => taken,
    discardListeners: async () => {},
    older: digest =>
      digest === null
        ? {
            plan: two,
            origins: new PlanOrigins(new Map()),
            secrets: [],
            warnings: [],
            source: '',
            files: new Map(),
          }
        : `no plan ${digest} is kept`,
    confirm: same => confirmed.push(same.plan.digest),
    apply: (next, _prepared, isOlder) => {
      plan = next.plan;
      applied.push(isOlder);
    },
    describe: () => '',
    report: (trigger, result) => reports.push(`${trigger} ${result.kind}`),
    nowMs: () => 0,
  });
  return {
    subject,
    reports,
    confirmed,
    open: gate.resolve,
    plan: () => plan,
    loads: () => loads,
    sources,
    applied,
  };
}

test('a changed file is applied, an unchanged one is not', async () => {
  const changed = reloader(two);
  changed.open();
  assert.deepEqual(await changed.subject.request('signal'), {
    kind: 'applied',
    digest: two.digest,
    changes: { total: 2, first: [] },
  });
  assert.equal(changed.plan(), two);
  assert.equal((await changed.subject.request('watch')).kind, 'unchanged');
  assert.deepEqual(changed.reports, ['signal applied', 'watch unchanged']);
  assert.deepEqual(changed.confirmed, [two.digest], 'the lines of its values may be other ones');
});

test('the log file is opened once: another one needs a restart', () => {
  const other = planOf(forwardTo(['127.0.0.1:1'], { logging: { file: 'other.log' } }));
  assert.deepEqual(restartReasons(runAtOnce(diffPlans(one, other))), [
    'logging.file cannot change while the process runs; restart it',
  ]);
});

test('a taken port, and a change that needs a restart, leave the plan as it is and say why', async () => {
  const taken = reloader(two, ['port 80 is taken']);
  taken.open();
  assert.deepEqual(await taken.subject.request('admin'), {
    kind: 'rejected',
    digest: one.digest,
    problems: ['port 80 is taken'],
  });
  assert.equal(taken.plan(), one);
  const fixed = reloader(elsewhere);
  fixed.open();
  const result = (await fixed.subject.request('admin')) as Extract<ReloadResult, { kind: 'rejected' }>;
  assert.match(result.problems[0] ?? '', /restart/);
});

test('while one runs a second waits, and a third joins the second', async () => {
  const { subject, open, loads } = reloader(two);
  const first = subject.request('signal');
  await turn(); // it has begun to read the file
  const others = [subject.request('watch'), subject.request('admin')];
  assert.equal(loads(), 1);
  open();
  await Promise.all([first, ...others]);
  assert.equal(loads(), 2);
});

test('changed certificates are read with the text of the running plan, even if the file has changed since', async () => {
  const renewed = reloader(two);
  renewed.open();
  assert.equal((await renewed.subject.request('certificates')).kind, 'applied');
  assert.deepEqual([renewed.sources, renewed.applied], [['materials'], [false]]);
  const afterRollback = reloader(two, [], { isFromFile: false });
  afterRollback.open();
  await afterRollback.subject.request('certificates');
  assert.deepEqual(afterRollback.applied, [true], 'still not what the file contains');
});

test('a reload of the file that joins one of certificates is not lost', async () => {
  const { subject, open, sources } = reloader(two);
  const first = subject.request('certificates');
  await turn();
  const waiting = [
    subject.request('certificates'),
    subject.request('signal'),
    subject.request('certificates'),
  ];
  open();
  await Promise.all([first, ...waiting]);
  assert.deepEqual(sources, ['materials', 'file']);
});

test('a rollback waits for its turn, applies the plan like a reload, and says why if it cannot', async () => {
  const { subject, open, plan, reports } = reloader(one);
  const running = subject.request('signal');
  const back = subject.rollback('rollback', null, null);
  assert.equal(plan(), one);
  open();
  await running;
  assert.equal((await back).kind, 'applied');
  assert.equal(plan(), two);
  const unknown = (await subject.rollback('rollback', 'abcd', null)) as Extract<
    ReloadResult,
    { kind: 'rejected' }
  >;
  assert.deepEqual(unknown.problems, ['no plan abcd is kept']);
  assert.deepEqual(reports, ['signal unchanged', 'rollback applied', 'rollback rejected']);
});
