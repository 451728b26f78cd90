/**
 * `reusePort`: a restart from one process to the next on the same port, under a steady load of new and of kept connections;
 * and what else a shared port means.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { echo } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { needsOwnNetwork, runInOwnNetwork } from '../support/own_network.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { ROOT, startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { closedPort, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

/** Waiting connections of a socket that closes go to another one of the port. */
const MIGRATE = { 'net.ipv4.tcp_migrate_req': '1' };

test(
  'two restarts on a shared port: no request of new or kept connections is refused, reset or failed',
  needsOwnNetwork(MIGRATE),
  async () => {
    const printed = await runInOwnNetwork(MIGRATE, join(ROOT, 'test/support/hand_over_program.ts'));
    const { answered, failures, served } = JSON.parse(printed) as {
      readonly answered: number;
      readonly failures: object;
      readonly served: readonly number[];
    };
    assert.deepEqual(failures, {}, `of ${answered} requests`);
    assert.ok(
      served.every(count => count > 0),
      `each process has served: ${served}`,
    );
  },
);

test('without reusePort a port that is taken is an error at the start', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startProxy(forwardTo([backend.address]));
  const address = `127.0.0.1:${proxy.target().port}`;
  for (const reusePort of [false, true])
    await assert.rejects(
      startProxy(forwardTo([backend.address], { listener: { address, reusePort } })),
      /this process uses it already/,
      'both have to say it',
    );
});

test('a listener whose reusePort changes needs a restart, and says so', async () => {
  await using backend = await startBackend(echo());
  const listener = { address: `127.0.0.1:${await closedPort()}` };
  await using proxy = await startProxy(forwardTo([backend.address], { listener }));
  proxy.rewrite(forwardTo([backend.address], { listener: { ...listener, reusePort: true } }));
  const result = await proxy.proxy.reload('signal');
  assert.equal(result.kind, 'rejected');
  assert.match(JSON.stringify(result), /change reusePort .* restart the process/);
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
});

test('a listener with reusePort changes its name without a restart, and whoever still comes by the old one is answered', async () => {
  await using backend = await startBackend(echo());
  const listener = { address: `127.0.0.1:${await closedPort()}`, reusePort: true };
  const config = forwardTo([backend.address], { listener });
  await using proxy = await startProxy(config);
  proxy.rewrite({ ...config, listeners: { renamed: listener } });
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  // The old socket is open for a moment longer, and the kernel deals connections to both.
  const target = proxy.target('renamed');
  const answers = await Promise.all(Array.from({ length: 40 }, () => fetchRaw(target, '/')));
  assert.ok(answers.every(({ status }) => status === 200));
  const { length } = proxy.lines.find({ listener: 'main', status: 200 });
  assert.ok(length > 0, 'some came by the old name');
  assert.deepEqual(proxy.lines.find({ event: 'defect' }), []);
});
