// What a person at a terminal, and a script, learn of reload, rollback and drain.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drainQuestion } from '../../src/cli/act.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { startAdmin } from './admin_server.ts';
import { runCommand } from './run_command.ts';

checkLeaks();

const DIGEST = 'abcdef0123456789';
const CHANGES = {
  total: 3,
  first: [
    { path: 'routes.b', change: 'added', class: 'live', perSecond: 0 },
    {
      path: 'process.drain.timeoutMs',
      change: 'changed',
      class: 'live',
      before: 1,
      after: 2,
      perSecond: null,
    },
  ],
};
const CHANGES_TEXT = [
  '  live     routes.b: added  (0 requests/s)',
  '  live     process.drain.timeoutMs: 1 -> 2',
  '  and 1 more',
  '',
].join('\n');

async function told(status: number, body: unknown, args: readonly string[]) {
  await using server = await startAdmin(status, body);
  const ended = await runCommand([...args, '--admin', server.address]);
  return { ...ended, asked: server.asked };
}

test('a reload that is applied or changes nothing ends with 0 and says which plan runs', async () => {
  const applied = await told(200, { kind: 'applied', digest: DIGEST, changes: CHANGES }, ['reload']);
  assert.deepEqual(
    [applied.code, applied.out, applied.err],
    [0, `now running plan abcdef012345\n${CHANGES_TEXT}`, ''],
  );
  const same = await told(200, { kind: 'unchanged', digest: DIGEST }, ['reload']);
  assert.deepEqual([same.code, same.out], [0, 'already running plan abcdef012345\n']);
});

test('a reload that is rejected ends with 1, with every problem on standard error', async () => {
  const rejected = await told(422, { kind: 'rejected', digest: DIGEST, problems: ['one', 'two'] }, [
    'reload',
  ]);
  assert.deepEqual(
    [rejected.code, rejected.out, rejected.err],
    [1, '', 'fairlead: rejected; still running plan abcdef012345\none\ntwo\n'],
  );
});

test('a rollback goes to the plan that is named, and warns that the file still has the newer one', async () => {
  const done = await told(200, { kind: 'applied', digest: DIGEST, changes: CHANGES }, ['rollback', 'abcd']);
  assert.equal(done.code, 0);
  assert.match(
    done.out,
    /^now running plan [\s\S]*\nthe configuration file still has the newer plan: fix it/,
  );
  assert.deepEqual(
    done.asked.map(({ url, body }) => [url, body]),
    [['/rollback', '{"digest":"abcd"}']],
  );
  const failed = await told(422, { kind: 'rejected', digest: DIGEST, problems: ['none'] }, ['rollback']);
  assert.deepEqual([failed.code, failed.out, failed.asked[0]?.body], [1, '', '{}']);
});

test('a drain that has begun ends with 0; what the API refuses, in JSON or not, is printed and ends with 1', async () => {
  assert.equal((await told(202, { draining: true }, ['drain'])).code, 0);
  const refused = await told(421, { error: 'the Host is not an address of the admin API' }, ['drain']);
  assert.deepEqual(
    [refused.code, refused.err],
    [1, 'fairlead: the Host is not an address of the admin API\n'],
  );
  const odd = await told(502, 'Bad Gateway', ['reload']);
  assert.deepEqual([odd.code, odd.err], [1, 'fairlead: Bad Gateway\n']);
});

test('a drained endpoint ends with 0, what happens next on standard output, and a warning on standard error', async () => {
  const done = { done: 'a is drained: it gets no new requests', warning: 'cluster app has none left' };
  const { code, out, err, asked } = await told(200, done, ['endpoint', 'drain', 'app', 'unix:/run/a.sock']);
  assert.deepEqual([code, out, err], [0, `${done.done}\n`, `fairlead: warning: ${done.warning}\n`]);
  assert.deepEqual(
    asked.map(({ method, url, body }) => [method, url, body]),
    [['POST', '/clusters/app/endpoints/unix%3A%2Frun%2Fa.sock', '{"action":"drain"}']],
  );
  const refused = await told(422, { error: 'there is no cluster x; clusters: app' }, [
    'endpoint',
    'ready',
    'x',
    'a',
  ]);
  assert.deepEqual([refused.code, refused.err], [1, 'fairlead: there is no cluster x; clusters: app\n']);
});

test('an action that endpoint does not know is bad usage, with the one that was meant', async () => {
  const { code, err, asked } = await told(200, {}, ['endpoint', 'drian', 'app', 'a']);
  assert.equal(code, 64);
  assert.match(err, /"drian" is no action of endpoint; write drain or ready \(did you mean "drain"\?\)/);
  assert.deepEqual(asked, []);
});

test('the question of a drain names the process, what is in flight, and that a second one cuts it', () => {
  const requests = { active: 2, tunnels: 1, lastMinute: 9 };
  assert.equal(
    drainQuestion({ phase: 'serving', pid: 12, requests }, true),
    'This ends process 12 once its requests have finished (3 in flight). Continue? [y/N] ',
  );
  assert.match(
    drainQuestion({ phase: 'draining', pid: 12, requests }, false) ?? '',
    /at once: .*3 in flight would be cut/,
  );
  assert.equal(drainQuestion({ phase: 'draining', pid: 12, requests }, true), null, 'it only watches');
  assert.match(drainQuestion({}, false) ?? '', /^This ends the running process /, 'an older process');
});
