import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { defineRuntimeGauges, type RuntimeView } from '../../src/observability/runtime_gauges.ts';

const endpoint = {
  endpoint: 'a:80',
  healthy: 1,
  circuits: new Set(['open']),
  states: { healthy: 1, ejected: 0 },
  disagrees: true,
  open: 3,
  inUse: 1,
};
const view: RuntimeView = {
  activeRequests: () => 7,
  tunnels: () => 2,
  bufferedBytes: () => 4_096,
  connections: () => [{ listener: 'main', state: 'idle', count: 4 }],
  clusters: () => [
    {
      cluster: 'app',
      queueDepth: 5,
      retryBudget: 9,
      panic: true,
      serving: 0,
      circuit: 'closed',
      endpoints: [endpoint],
    },
  ],
  overload: () => 'heap',
  stores: () => [],
  digest: () => 'abc',
  certificates: () => [{ listener: 'main', subject: 'a.test', notAfterAtMs: 2_000_000 }],
};

test('a scrape shows the state of that moment', async () => {
  const registry = new Registry();
  defineRuntimeGauges(registry, view);
  const shown = (await registry.metrics()).split('\n').filter(line => line !== '' && !line.startsWith('#'));
  assert.deepEqual(shown, [
    'fairlead_active_requests 7',
    'fairlead_tunnels_active 2',
    'fairlead_buffered_bytes 4096',
    'fairlead_connections{listener="main",state="idle"} 4',
    'fairlead_config_info{digest="abc"} 1',
    'fairlead_overload_active{signal="event_loop"} 0',
    'fairlead_overload_active{signal="heap"} 1',
    'fairlead_certificate_expiry_seconds{listener="main",subject="a.test"} 2000',
    'fairlead_queue_depth{cluster="app"} 5',
    'fairlead_cluster_endpoints_serving{cluster="app"} 0',
    'fairlead_cluster_panic{cluster="app"} 1',
    'fairlead_retry_budget_remaining{cluster="app"} 9',
    'fairlead_endpoint_healthy{cluster="app",endpoint="a:80"} 1',
    'fairlead_endpoint_state{cluster="app",endpoint="a:80",state="healthy"} 1',
    'fairlead_endpoint_state{cluster="app",endpoint="a:80",state="ejected"} 0',
    'fairlead_endpoint_disagreement{cluster="app",endpoint="a:80"} 1',
    'fairlead_circuit_state{cluster="app",endpoint="*",state="closed"} 1',
    'fairlead_circuit_state{cluster="app",endpoint="*",state="open"} 0',
    'fairlead_circuit_state{cluster="app",endpoint="*",state="probing"} 0',
    'fairlead_circuit_state{cluster="app",endpoint="a:80",state="closed"} 0',
    'fairlead_circuit_state{cluster="app",endpoint="a:80",state="open"} 1',
    'fairlead_circuit_state{cluster="app",endpoint="a:80",state="probing"} 0',
    'fairlead_pool_connections{cluster="app",endpoint="a:80",state="active"} 1',
    'fairlead_pool_connections{cluster="app",endpoint="a:80",state="idle"} 2',
  ]);
});
