/** What a whole process tells its service manager over a life with a failed reload, a good one and a drain. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { echo, after as when } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { NotifyReceiver } from '../support/notify_receiver.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { needs } from '../support/programs.ts';
import { startProxyProcess } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const folder = mkdtempSync(join(tmpdir(), 'fairlead-manager-'));
after(() => rmSync(folder, { recursive: true }));

test(
  'ready, reloading with its time, the status of a failed reload, stopping with the time it needs, and the watchdog to the end',
  needs('python3'),
  async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await using backend = await startBackend(when(released, echo()));
    const address = join(folder, 'notify');
    await using manager = await NotifyReceiver.open(address);
    const process = { drain: { delay: '1s', timeout: '100s' } };
    const config = forwardTo([backend.address], { process });
    // Without WATCHDOG_PID the watchdog is for whoever has the variables.
    const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '200000' };
    const proxy = await startProxyProcess(config, { env });
    await manager.next(/^READY=1\nSTATUS=serving on 127\.0\.0\.1:\d+$/);

    proxy.rewrite({ ...config, listners: {} });
    proxy.signal('SIGHUP');
    const reloading = await manager.next(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
    const saidSeconds = Number(reloading.text.split('=').at(-1)) / 1e6;
    assert.ok(saidSeconds <= reloading.monotonicSeconds, 'the time is of the clock of the machine');
    assert.ok(saidSeconds > reloading.monotonicSeconds - 60, `${saidSeconds} ${reloading.monotonicSeconds}`);
    const failed = await manager.next(/^READY=1\nSTATUS=reload failed: /);
    assert.match(failed.text, /listners.*still running the previous plan$/);
    proxy.rewrite(forwardTo([backend.address], { process, route: { name: 'other' } }));
    proxy.signal('SIGHUP');
    await manager.next(/^READY=1\nSTATUS=serving plan [0-9a-f]{12}$/);

    const answering = fetchRaw(proxy.target(), '/');
    await backend.requestCount(1);
    proxy.signal('SIGTERM');
    await manager.next(/^STOPPING=1\n/);
    await manager.next(/^EXTEND_TIMEOUT_USEC=111000000$/); // delay, timeout, and ten seconds
    await manager.next(/^STATUS=lame duck, still accepting: 1 request, 0 tunnels \(other 1\)/);
    await manager.next(/^STATUS=draining: 1 request/);
    const { length } = manager.heard;
    await manager.next(/^WATCHDOG=1$/, length);
    release();
    assert.equal((await answering).status, 200);
    assert.equal(await proxy.ended, 0);
  },
);
