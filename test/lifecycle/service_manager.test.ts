import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createServiceManager } from '../../src/lifecycle/service_manager.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { NotifyReceiver } from '../support/notify_receiver.ts';
import { needs } from '../support/programs.ts';

for (const form of ['a path', 'an abstract name']) {
  test(`the service manager is told over ${form}`, needs('python3'), async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-notify-'));
    const address = form === 'a path' ? join(folder, 'notify') : `@fairlead-test-${process.pid}`;
    await using receiver = await NotifyReceiver.open(address);
    const clock = new FakeClock();
    const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '2000000', WATCHDOG_PID: String(process.pid) };
    const manager = await createServiceManager(env, clock);
    manager.ready('serving\non two lines');
    await receiver.next(/^READY=1\nSTATUS=serving on two lines$/);
    await receiver.next(/^WATCHDOG=1$/);
    const { length } = receiver.heard;
    clock.advance(1_000); // half of what the manager waits for
    await receiver.next(/^WATCHDOG=1$/, length);
    manager.reloading();
    await receiver.next(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
    manager.extendTimeout(1_500);
    await receiver.next(/^EXTEND_TIMEOUT_USEC=1500000$/);
    manager.stopping();
    await receiver.next(/^STOPPING=1\n/);
    manager.stop();
    assert.equal(clock.pendingTimers, 0);
    rmSync(folder, { recursive: true });
  });
}

test('without a service manager nothing happens', async () => {
  const clock = new FakeClock();
  const manager = await createServiceManager({}, clock);
  manager.ready('x');
  manager.stopping();
  assert.equal(clock.pendingTimers, 0);
});

test('children do not inherit the way to the service manager', async () => {
  const env = { NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '1', WATCHDOG_PID: '1', PATH: '/bin' };
  const manager = await createServiceManager(env, new FakeClock(), async () => () => {});
  manager.stop();
  assert.deepEqual(env, { PATH: '/bin' });
});

test('a watchdog that waits for another process is not fed', async () => {
  const said: string[] = [];
  const clock = new FakeClock();
  const env = { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '2000000', WATCHDOG_PID: String(process.pid + 1) };
  const manager = await createServiceManager(env, clock, async () => message => void said.push(message));
  manager.ready('serving');
  clock.advance(10_000);
  assert.deepEqual(said, ['READY=1\nSTATUS=serving']);
});

test('where no datagram can be sent the program systemd-notify says it, in the same order', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-notify-'));
  const said = join(folder, 'said');
  // The first message takes longest: whoever does not wait for it is overtaken.
  const script = `#!/bin/sh\ncase "$*" in *RELOADING*) sleep 0.2;; esac\necho "$NOTIFY_SOCKET $*" >> ${said}\n`;
  writeFileSync(join(folder, 'systemd-notify'), script, { mode: 0o755 });
  const env = { NOTIFY_SOCKET: '/run/notify', PATH: `${folder}:${process.env.PATH}` };
  const manager = await createServiceManager(env, new FakeClock(), () => Promise.reject(new Error('no FFI')));
  manager.reloading();
  manager.ready('plan b');
  const lines = () => (existsSync(said) ? readFileSync(said, 'utf8').trim().split('\n') : []);
  while (lines().length < 2) await turn();
  assert.match(lines()[0] ?? '', /^\/run\/notify --no-block RELOADING=1 MONOTONIC_USEC=\d+$/);
  assert.equal(lines()[1], '/run/notify --no-block READY=1 STATUS=plan b');
  rmSync(folder, { recursive: true });
});

test('without that program too, the proxy runs on', async () => {
  const env = { NOTIFY_SOCKET: '/run/notify', PATH: '/nowhere' };
  const manager = await createServiceManager(env, new FakeClock(), () => Promise.reject(new Error('no FFI')));
  manager.ready('serving');
  await turn();
  manager.stopping();
  await turn();
  manager.stop();
});
