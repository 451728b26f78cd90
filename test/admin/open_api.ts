/** The admin API in front of a view that a test makes up. */

import type { AdminActions, AdminView } from '../../src/admin/admin_interfaces.ts';
import { openAdminApi } from '../../src/admin/api.ts';
import { systemClock } from '../../src/resilience/clock.ts';
import { fetchRaw } from '../support/raw_client.ts';

export const LOCAL = ['Host', 'localhost'];

type Served = AdminView & AdminActions;

const SERVING = {
  phase: 'serving',
  cause: null,
  remainingMs: null,
  requests: 1,
  tunnels: 0,
  connections: 2,
  routes: { all: 1 },
} as const;

export function viewWith(change: Partial<Served> = {}): Served {
  return {
    readiness: () => ({ ready: true, reasons: [] }),
    metrics: async accept => ({ contentType: 'text/plain', text: `accept: ${accept}\n` }),
    status: () => ({}),
    page: () => ({ parts: [], instance: 'i1', document: nonce => `<p>${nonce}</p>` }),
    recordPage: (id, nonce) => `<p>${id} ${nonce}</p>`,
    plan: () => ({}),
    requests: () => [],
    request: id => (id === 'kept' ? { id } : null),
    explain: () => ({ error: 'no URL' }),
    reload: async () => ({ kind: 'applied', digest: 'd', changes: { total: 0, first: [] } }),
    rollback: async () => ({ kind: 'applied', digest: 'd', changes: { total: 0, first: [] } }),
    drain: () => {},
    drainView: () => SERVING,
    setLogLevel: level => ({ done: level }),
    shadowCheck: async () => 'not here',
    setEndpoint: (cluster, endpoint, action) => ({ done: `${action} ${cluster} ${endpoint}` }),
    drainQuestion: () => null,
    audit: () => {},
    ...change,
  };
}

interface Asked {
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

export async function withApi(
  view: Served,
  use: (ask: (path: string, asked?: Asked) => ReturnType<typeof fetchRaw>) => Promise<void>,
  token: string | null = null,
): Promise<void> {
  const api = await openAdminApi({ kind: 'tcp', host: '127.0.0.1', port: 0 }, token, systemClock, view, view);
  const port = Number(api.address.split(':').at(-1));
  try {
    await use((path, { method = 'GET', headers = LOCAL, body } = {}) =>
      fetchRaw({ port }, path, { method, headers, ...(body === undefined ? {} : { body }) }),
    );
  } finally {
    await api.close('clean');
  }
}
