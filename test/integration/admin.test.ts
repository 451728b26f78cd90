// The admin API as an operator and a scraper meet it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { echo } from '../support/backend_behaviours.ts';
import * as certificates from '../support/certificates.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

async function withAdmin(use: (proxy: ProxyInProcess) => Promise<void>): Promise<void> {
  const backend = await startBackend(echo());
  const tls = {
    certificates: [{ certFile: certificates.server.certFile, keyFile: certificates.server.keyFile }],
  };
  const proxy = await startProxy(
    forwardTo([backend.address], {
      admin: { address: '127.0.0.1:0' },
      listeners: { secure: { address: '127.0.0.1:0', tls } },
    }),
  );
  try {
    await use(proxy);
  } finally {
    await proxy.stop();
    await backend.close();
  }
}

const LOCAL = ['Host', 'localhost'];

test('probes, status and plan answer, and no secret is shown', async () => {
  await withAdmin(async proxy => {
    const get = (path: string) => fetchRaw(proxy.admin(), path, { headers: LOCAL });
    assert.equal((await get('/livez')).status, 200);
    assert.deepEqual(JSON.parse((await get('/readyz')).text), { ready: true, reasons: [] });
    await fetchRaw(proxy.target(), '/');
    const status = JSON.parse((await get('/status')).text);
    assert.equal(status.phase, 'serving');
    assert.equal(status.clusters[0].endpoints[0].state, 'unchecked', 'no health check asks');
    const plan = (await get('/plan')).text;
    assert.match(plan, /"keyPem":"\*\*\*"/);
    assert.doesNotMatch(plan, /PRIVATE KEY/);
  });
});

test('a scrape has the names of the contract, and counts what happened', async () => {
  await withAdmin(async proxy => {
    for (let count = 0; count < 3; count++) await fetchRaw(proxy.target(), '/');
    await proxy.lines.next({ status: 200 }, 3);
    const { text } = await fetchRaw(proxy.admin(), '/metrics', { headers: LOCAL });
    assert.match(text, /fairlead_requests_total\{listener="main",route="all",code="200"\} 3/);
    for (const name of [
      'request_duration_seconds',
      'failures_total',
      'upstream_attempts_total',
      'upstream_connect_seconds',
      'upstream_first_byte_seconds',
      'proxy_overhead_seconds',
      'active_requests',
      'connections',
      'tunnels_active',
      'endpoint_healthy',
      'endpoint_ejections_total',
      'circuit_state',
      'pool_connections',
      'queue_depth',
      'retries_total',
      'retry_budget_remaining',
      'rate_limited_total',
      'config_reloads_total',
      'config_last_reload_successful',
      'config_info',
      'event_loop_delay_seconds',
      'build_info',
    ]) {
      assert.match(text, new RegExp(`# TYPE fairlead_${name} `), name);
    }
  });
});

test('a foreign Host is 421, a foreign Origin 403, an unknown path 404', async () => {
  await withAdmin(async proxy => {
    const get = (path: string, headers: string[]) => fetchRaw(proxy.admin(), path, { headers });
    assert.equal((await get('/status', ['Host', 'evil.test'])).status, 421);
    assert.equal((await get('/status', [...LOCAL, 'Origin', 'http://evil.test'])).status, 403);
    assert.equal((await get('/nothing', LOCAL)).status, 404);
  });
});

test('a reload by the API says what came of it', async () => {
  await withAdmin(async proxy => {
    const post = () => fetchRaw(proxy.admin(), '/reload', { method: 'POST', headers: LOCAL });
    assert.equal(JSON.parse((await post()).text).kind, 'unchanged');
    proxy.rewrite('version: 2');
    const rejected = await post();
    assert.equal(rejected.status, 422);
    assert.match(rejected.text, /version/);
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 200, 'the plan before goes on');
  });
});

test('explain answers over the API as the command does', async () => {
  await withAdmin(async proxy => {
    const { text } = await fetchRaw(
      proxy.admin(),
      `/explain?url=${encodeURIComponent('http://app.test/a')}`,
      { headers: LOCAL },
    );
    const explained = JSON.parse(text);
    assert.equal(explained.route, 'all');
    assert.ok(
      explained.limits.some(
        (row: { name: string; origin: string }) => row.name === 'requestMs' && row.origin === 'default',
      ),
    );
  });
});
