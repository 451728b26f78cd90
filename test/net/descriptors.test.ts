import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import { parseAddress } from '../../src/net/address.ts';
import { connect } from '../../src/net/connect.ts';
import {
  backendSockets,
  countOpenDescriptors,
  descriptorLimit,
  shareDescriptors,
} from '../../src/net/descriptors.ts';
import { systemClock } from '../../src/resilience/clock.ts';
import type { Failure } from '../../src/resilience/failure.ts';
import { answer } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();
afterEach(() => {
  backendSockets.max = Number.POSITIVE_INFINITY;
});

test('with enough descriptors, clients and backends get what they may need and more', () => {
  const share = shareDescriptors(30_000, 30, { clients: 20_000, backends: 256 });
  assert.ok(share.clientsMax >= 20_000 && share.backendsMax >= 256);
  assert.equal(share.limitWanted, 20_302);
});

test('with too few descriptors, backends get what they need but no more than half, and something is always left over', () => {
  const few = shareDescriptors(1_024, 24, { clients: 20_000, backends: 128 });
  assert.deepEqual([few.clientsMax, few.backendsMax], [856, 128]);
  const fewer = shareDescriptors(60, 24, { clients: 20_000, backends: 128 });
  assert.deepEqual([fewer.clientsMax, fewer.backendsMax], [10, 10]);
  const none = shareDescriptors(40, 24, { clients: 20_000, backends: 128 });
  assert.deepEqual([none.clientsMax, none.backendsMax], [1, 1]);
});

test('what few clients leave is for backends', () => {
  const share = shareDescriptors(60, 24, { clients: 4, backends: 128 });
  assert.deepEqual([share.clientsMax, share.backendsMax], [10, 16]);
});

test('whatever the numbers: both together stay below the limit, with sixteen to spare', () => {
  for (let limit = 42; limit < 400; limit += 7)
    for (const clients of [1, 10, 100, 1_000])
      for (const backends of [1, 10, 100, 1_000]) {
        const share = shareDescriptors(limit, 24, { clients, backends });
        const open = Math.min(clients, share.clientsMax) + share.backendsMax;
        assert.ok(24 + 16 + open <= limit, `${limit} ${clients} ${backends}`);
      }
});

test('limit and descriptors in use are those of this process', { skip: process.platform !== 'linux' }, () => {
  const limit = descriptorLimit();
  assert.ok(limit !== null && limit > 20);
  const before = countOpenDescriptors();
  assert.ok(before !== null && before >= 3);
  const fd = openSync('/dev/null', 'r');
  assert.equal(countOpenDescriptors(), before + 1);
  closeSync(fd);
});

test('a backend beyond the share is not connected to: local_exhausted, until another connection has closed', async () => {
  await using backend = await startBackend(answer());
  const address = parseAddress(backend.address);
  assert(typeof address !== 'string');
  const target = { address, tls: null, protocols: ['http/1.1'], connectTimeoutMs: 1_000 } as const;
  const open = () =>
    new Promise<Failure | Socket>(resolve => {
      connect(target, systemClock, (failure, socket) => resolve(failure ?? (socket as Socket)));
    });
  backendSockets.max = backendSockets.open + 1;
  const first = await open();
  assert(!('kind' in first));
  assert.deepEqual(await open(), { kind: 'local_exhausted', code: 'EMFILE' });
  connect(target, systemClock, () => assert.fail('it was given up'))();
  await new Promise<void>(resolve => void first.destroy().once('close', () => resolve()));
  const second = await open();
  assert(!('kind' in second));
  second.destroy();
});
