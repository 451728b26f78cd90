// Phase 3: backends come and go, and nobody before the proxy notices.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, formatRequest } from '../support/raw_client.ts';
import { type ScriptedBackend, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const CLIENTS = 64;
/** As the roadmap asks; FAIRLEAD_RESTART_SECONDS=8 is enough for a quick look. */
const RUN_MS = 1_000 * Number(process.env.FAIRLEAD_RESTART_SECONDS ?? 30);
const RESTART_EVERY_MS = 1_000;

test('three backends, one restarted every second, 64 clients: no request is lost', async () => {
  const backends: ScriptedBackend[] = [];
  for (let count = 0; count < 3; count++) backends.push(await startBackend(answer({ body: 'ok' })));
  const ports = backends.map(({ port }) => port);
  let running = true;
  const endMs = performance.now() + RUN_MS;
  const restarts = async () => {
    for (let turn = 0; performance.now() < endMs; turn++) {
      const at = turn % 3;
      await backends[at]?.close();
      await wait(RESTART_EVERY_MS / 2);
      backends[at] = await startBackend(answer({ body: 'ok' }), { port: ports[at] ?? 0 });
      await wait(RESTART_EVERY_MS / 2);
    }
    running = false;
  };
  let answered = 0;
  const bad = new Map<number, number>();
  {
    await using proxy = await startProxy(
      forwardTo(
        ports.map(port => `127.0.0.1:${port}`),
        {
          route: { retries: { attempts: 2, on: ['connect', 'reset'] } },
          cluster: { health: { passive: { consecutiveFailures: 3, ejectFor: '200ms' } } },
          listener: { limits: { connectionsPerIp: 'off' } },
        },
      ),
    );
    const client = async () => {
      const connection = await connectRaw(proxy.target());
      while (running) {
        void connection.send(formatRequest('/'));
        const { status } = await connection.answer();
        if (status === 200) answered++;
        else bad.set(status, (bad.get(status) ?? 0) + 1);
      }
      connection.destroy();
    };
    await Promise.all([restarts(), ...Array.from({ length: CLIENTS }, client)]);
  }
  assert.deepEqual([...bad], [], `besides ${answered} answers`);
  assert.ok(answered > 1_000, `${answered} answers`);
  for (const backend of backends) await backend.close();
});

function wait(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
