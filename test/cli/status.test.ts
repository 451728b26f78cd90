// `fairlead status` and `explain --request`, which only show what the running process says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLeaks } from '../support/leak_check.ts';
import { startAdmin } from './admin_server.ts';
import { runCommand } from './run_command.ts';

checkLeaks();

test('a process that does not answer with its status ends the command with 1 and the status that it gave', async () => {
  await using server = await startAdmin(503, { error: 'no' });
  const { code, out, err } = await runCommand(['status', '--admin', server.address]);
  assert.deepEqual([code, out, err], [1, '', 'fairlead: the admin API returned status 503\n']);
});

test('a program gets the status as it came', async () => {
  const status = { version: '1', clusters: [], anything: { else: true } };
  await using server = await startAdmin(200, status);
  const { code, out } = await runCommand(['status', '--json', '--admin', server.address]);
  assert.deepEqual([code, JSON.parse(out)], [0, status]);
  assert.equal(server.asked[0]?.url, '/status');
});
