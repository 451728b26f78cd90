import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Tunnel, type TunnelEnd } from '../../src/http/tunnel.ts';
import { FakeClock } from '../support/fake_clock.ts';

/** A socket whose other end is the test. */
class End extends Duplex {
  readonly received: string[] = [];
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.received.push(chunk.toString());
    done();
  }
}

function tunnel(idleMs: number | null) {
  const clock = new FakeClock();
  const client = new End();
  const backend = new End();
  const ends: TunnelEnd[] = [];
  const subject = new Tunnel(client, backend, { idleMs }, clock, end => ends.push(end));
  subject.start();
  return { clock, client, backend, ends, subject };
}

test('bytes pass both ways and are counted', async () => {
  const { client, backend, ends, subject } = tunnel(null);
  client.push('ping!');
  backend.push('pong');
  await turn();
  subject.end('shutdown');
  assert.deepEqual([backend.received, client.received], [['ping!'], ['pong']]);
  assert.deepEqual(ends, [{ cause: 'shutdown', bytesIn: 5, bytesOut: 4 }]);
});

test('it ends when no byte has passed for the idle limit, and says so once', async () => {
  const { clock, client, ends } = tunnel(1_000);
  clock.advance(900);
  client.push('still here');
  await turn();
  clock.advance(999);
  assert.equal(ends.length, 0);
  clock.advance(1);
  await turn();
  assert.equal(ends.length, 1);
  assert.equal(ends[0]?.cause, 'idle');
  assert.equal(clock.pendingTimers, 0);
});

test('one side that goes takes the other with it', async () => {
  const { client, backend, ends } = tunnel(null);
  backend.destroy();
  await turn();
  assert.equal(client.destroyed, true);
  assert.equal(ends[0]?.cause, 'backend');
});
