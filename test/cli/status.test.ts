// `fairlead status` and `explain --request`, which only show what the running process says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterView, endpointView, pageView } from '../admin/page_view.ts';
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

test('one cluster is shown alone; one that is not there ends the command with 1 and the name that was meant', async () => {
  const { code, out } = await show(['status', 'api', '--json']);
  assert.deepEqual([code, JSON.parse(out).clusters.map(({ name }: { name: string }) => name)], [0, ['api']]);
  const unknown = await show(['status', 'apii']);
  assert.deepEqual(
    [unknown.code, unknown.out, unknown.err],
    [1, '', 'fairlead: there is no cluster apii (did you mean "api"?); clusters: api, web\n'],
  );
});

test('what fails is shown alone, in text and in JSON', async () => {
  const { out } = await show(['status', '--failing']);
  assert.match(out, /web .*unhealthy/);
  assert.doesNotMatch(out, /api/);
  assert.doesNotMatch(out, /\x1b/, 'no colour in a pipe');
  const { clusters } = JSON.parse((await show(['status', '--failing', '--json'])).out);
  assert.deepEqual(
    clusters.map(({ name }: { name: string }) => name),
    ['web'],
  );
});

async function show(args: readonly string[]) {
  const clusters = [
    clusterView([endpointView()], { name: 'api' }),
    clusterView([endpointView({ state: 'unhealthy' })], { name: 'web' }),
  ];
  await using server = await startAdmin(200, {
    ...pageView(clusters),
    connections: { open: 0, oldest: [] },
    problems: [],
  });
  return await runCommand([...args, '--admin', server.address]);
}
