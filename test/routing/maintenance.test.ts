import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMaintenance, type MaintenanceSettings } from '../../src/routing/maintenance.ts';

const settings: MaintenanceSettings = { status: 503, retryAfterMs: 5_000, page: 'id', allow: ['10.0.0.0/8'] };
const page = { contentType: 'text/plain', body: 'soon' };

test('the networks that are allowed pass, everybody else is told to come back', () => {
  const maintenance = buildMaintenance(settings, { id: page });
  assert.equal(
    maintenance.refusal('10.1.1.1', () => ''),
    null,
  );
  assert.deepEqual(
    maintenance.refusal('11.1.1.1', () => 'edge.yaml:3:1'),
    {
      kind: 'maintenance',
      status: 503,
      retryAfterMs: 5_000,
      page,
      origin: 'edge.yaml:3:1',
    },
  );
});

test('without networks nobody passes, not even a client without an address', () => {
  const maintenance = buildMaintenance({ ...settings, page: null, allow: [] }, {});
  for (const client of ['127.0.0.1', '::1', 'unix'])
    assert.equal(maintenance.refusal(client, () => '')?.kind, 'maintenance', client);
});
