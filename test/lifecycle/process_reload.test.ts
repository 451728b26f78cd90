import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessReload } from '../../src/lifecycle/process_reload.ts';
import type { ReloadResult, ReloadTrigger } from '../../src/lifecycle/reload.ts';
import { FakeClock } from '../support/fake_clock.ts';

type Parts = ConstructorParameters<typeof ProcessReload>[0];

const PROBATION = { windowMs: 30_000, failureRatioMax: 0.2, requestsMin: 50 };
const DIGEST = 'abcdef0123456789';

function reloading(phase = 'serving', warnings: readonly unknown[] = []) {
  const begun: unknown[] = [];
  const events: Record<string, unknown>[] = [];
  const plan = { digest: DIGEST, process: { reload: { probation: PROBATION } } };
  const parts = {
    running: { current: { loaded: { plan, warnings } } },
    runtime: {
      clock: new FakeClock(),
      telemetry: { emit: (event: Record<string, unknown>) => events.push(event) },
    },
    phase: { current: phase },
    probation: { begin: (settings: unknown) => begun.push(settings) },
    files: { add: (files: unknown) => begun.push(['watched', files]) },
    overloadWatch: { ownWork: (work: () => unknown) => work() },
    configFile: '/nowhere/fairlead.yaml',
    env: {},
  };
  const reload = new ProcessReload(parts as unknown as Parts);
  const report = (trigger: ReloadTrigger, result: ReloadResult) => reload.report(trigger, result, 12.6);
  return { reload, report, begun, events };
}

const APPLIED: ReloadResult = {
  kind: 'applied',
  digest: DIGEST,
  changes: { total: 0, first: [] },
};
const REJECTED: ReloadResult = {
  kind: 'rejected',
  digest: DIGEST,
  problems: ['line 3: no such cluster', 'more'],
};

test('a plan that a reload brings is on probation, one to which somebody goes back is not', () => {
  const { report, begun } = reloading();
  report('signal', APPLIED);
  report('rollback', APPLIED);
  report('probation', APPLIED);
  report('signal', REJECTED);
  report('watch', { kind: 'unchanged', digest: DIGEST });
  assert.deepEqual(
    begun,
    [PROBATION, null, null],
    'what is not applied changes nothing about the one that is',
  );
});

test('the status of the service says that a reload failed and why, until one succeeds', () => {
  const { reload, report } = reloading();
  assert.equal(reload.statusText, 'serving plan abcdef012345');
  report('watch', REJECTED);
  assert.equal(reload.statusText, 'reload failed: line 3: no such cluster; still running the previous plan');
  report('signal', APPLIED);
  assert.equal(reload.statusText, 'serving plan abcdef012345');
});

test('a rollback that found nothing does not hide the last reload, one that was made does', () => {
  const { reload, report } = reloading();
  report('watch', REJECTED);
  report('rollback', { kind: 'rejected', digest: DIGEST, problems: ['there is no earlier plan'] });
  assert.equal(reload.last?.trigger, 'watch');
  report('rollback', APPLIED);
  assert.equal(reload.last?.trigger, 'rollback');
});

test('each reload is one event with its trigger, its problems and whole milliseconds', () => {
  const { report, events } = reloading();
  report('admin', REJECTED);
  report('probation', APPLIED);
  assert.deepEqual(
    events.map(({ kind, trigger, result, problems, tookMs }) => [kind, trigger, result, problems, tookMs]),
    [
      ['reload', 'admin', 'rejected', ['line 3: no such cluster', 'more'], 13],
      ['rollback', 'probation', 'applied', [], 13],
    ],
  );
});

test('a reload that is applied logs the warnings of its configuration, a rollback does not repeat them', () => {
  const warning = { severity: 'warning', file: 'a.yaml', line: 3, column: 5, message: 'probably not meant' };
  const { report, events } = reloading('serving', [warning]);
  report('rollback', APPLIED);
  report('signal', REJECTED);
  const warned = () => events.filter(({ kind }) => kind === 'warning').map(({ message }) => message);
  assert.deepEqual(warned(), []);
  report('certificates', APPLIED);
  assert.equal(warned().length, 1);
  assert.match(String(warned()[0]), /a\.yaml:3:5: .*probably not meant/);
});

test('a process that ends or has not begun takes no other plan', () => {
  assert.equal(reloading('serving').reload.isServing, true);
  for (const phase of ['starting', 'draining', 'stopped'])
    assert.equal(reloading(phase).reload.isServing, false);
});
