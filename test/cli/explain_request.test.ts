import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLeaks } from '../support/leak_check.ts';
import { startAdmin } from './admin_server.ts';
import { runCommand } from './run_command.ts';

checkLeaks();

test('an id is asked for as it is written, whatever is in it, and what the process says of it is printed', async () => {
  await using server = await startAdmin(404, { error: 'no record of this request' });
  const { code, out, err } = await runCommand(['explain', '--request', 'a/b?c', '--admin', server.address]);
  assert.deepEqual([code, out, err], [1, '', 'fairlead: a/b?c: no record of this request\n']);
  assert.equal(server.asked[0]?.url, '/requests/a%2Fb%3Fc');
});

test('a program gets the record as JSON', async () => {
  await using server = await startAdmin(200, { id: 'r1', cause: 'It was answered.' });
  const { code, out } = await runCommand(['explain', '--json', '--request', 'r1', '--admin', server.address]);
  assert.deepEqual([code, JSON.parse(out)], [0, { id: 'r1', cause: 'It was answered.' }]);
});
