import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { parseAddress } from '../../src/net/address.ts';
import { connect } from '../../src/net/connect.ts';
import { systemClock } from '../../src/resilience/clock.ts';
import type { Failure } from '../../src/resilience/failure.ts';
import { echo } from '../support/backend_behaviours.ts';
import * as certificates from '../support/certificates.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { REFUSING, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const verified = {
  verify: true,
  serverName: 'localhost',
  caPem: certificates.ca,
  certPem: null,
  keyPem: null,
};

function open(
  where: string,
  tls: typeof verified | null = null,
  connectTimeoutMs = 1_000,
): Promise<Failure | Socket> {
  const address = parseAddress(where);
  assert(typeof address !== 'string');
  return new Promise(resolve => {
    connect({ address, tls, protocols: ['http/1.1'], connectTimeoutMs }, systemClock, (failure, socket) => {
      socket?.destroy();
      resolve(failure ?? (socket as Socket));
    });
  });
}

function kindOf(result: Failure | Socket): string {
  return 'kind' in result ? result.kind : 'connected';
}

test('each way to fail has its own name', async () => {
  assert.equal(kindOf(await open(REFUSING)), 'connect_refused');
  assert.equal(kindOf(await open('unix:/nowhere/at/all.sock')), 'connect_refused');
  assert.equal(kindOf(await open('name.invalid:80')), 'dns_failed');
});

test('a certificate is verified, by name and by its signer', async () => {
  const backend = await startBackend(echo(), { tls: certificates.server });
  assert.equal(kindOf(await open(backend.address, verified)), 'connected');
  for (const wrong of [
    { ...verified, serverName: 'elsewhere.test' },
    { ...verified, caPem: certificates.stranger.cert },
  ]) {
    assert.deepEqual(
      await open(backend.address, wrong).then(result =>
        'kind' in result ? [result.kind, 'part' in result && result.part] : [],
      ),
      ['tls_failed', 'certificate'],
    );
  }
  assert.equal(
    kindOf(await open(backend.address, { ...verified, serverName: 'elsewhere.test', verify: false })),
    'connected',
  );
  await backend.close();
});

test('a backend that is silent in the handshake is a connect_timeout after its limit', async () => {
  const backend = await startBackend(echo(), { onConnection: () => 'stay_silent' });
  const result = await open(backend.address, verified, 80);
  assert.deepEqual(result, { kind: 'connect_timeout', afterMs: 80 });
  await backend.close();
});

test('a caller that gives up is not called back', async () => {
  const backend = await startBackend(echo(), { onConnection: () => 'stay_silent' });
  const address = parseAddress(backend.address);
  assert(typeof address !== 'string');
  const giveUp = connect(
    { address, tls: verified, protocols: ['http/1.1'], connectTimeoutMs: 50 },
    systemClock,
    () => assert.fail('nobody waits'),
  );
  giveUp();
  await backend.noConnections();
  await backend.close();
});
