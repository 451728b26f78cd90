/**
 * A restart that no client notices, through a listening socket that outlives the process: under a steady load of new and of
 * kept connections. The other way, from one process to the next on a shared port: port_handover.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { echo } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { needs } from '../support/programs.ts';
import { startBackend } from '../support/scripted_backend.ts';
import { SocketHolder } from '../support/socket_holder.ts';
import { DRAIN_IN_STEPS, SteadyClients } from '../support/steady_clients.ts';

checkLeaks();

test(
  'two restarts by a service manager that keeps the socket: between two processes clients wait, and none is refused',
  needs('python3'),
  async context => {
    await using backend = await startBackend(echo());
    const listener = { address: 'fd:web' };
    const holder = new SocketHolder(
      context,
      forwardTo([backend.address], { listener, process: DRAIN_IN_STEPS }),
      4_096,
      'web',
    );
    const [port = 0] = await holder.ports();
    let pid = await holder.start();
    const clients = new SteadyClients(port);
    for (let restart = 1; restart <= 2; restart++) {
      await clients.goOn();
      process.kill(pid, 'SIGTERM'); // as `systemctl restart` does: the new one starts when the old one has ended
      await holder.stopped(restart);
      pid = await holder.start();
    }
    await clients.goOn();
    const { failures } = await clients.stop();
    process.kill(pid, 'SIGTERM');
    await holder.stopped(3);
    assert.deepEqual(failures, {});
  },
);

test(
  'a process that starts beside the old one on the same socket takes over from it',
  needs('python3'),
  async context => {
    await using backend = await startBackend(echo());
    const listener = { address: 'fd:web' };
    const holder = new SocketHolder(
      context,
      forwardTo([backend.address], { listener, process: DRAIN_IN_STEPS }),
      4_096,
      'web',
    );
    const [port = 0] = await holder.ports();
    const old = await holder.start();
    const clients = new SteadyClients(port);
    await clients.goOn();
    const next = await holder.start();
    process.kill(old, 'SIGTERM');
    await holder.stopped(1);
    await clients.goOn();
    const { failures } = await clients.stop();
    process.kill(next, 'SIGTERM');
    await holder.stopped(2);
    assert.deepEqual(failures, {});
  },
);
