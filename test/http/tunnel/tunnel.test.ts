import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Tunnel, type TunnelEnd } from '../../../src/http/tunnel/tunnel.ts';
import { FakeClock } from '../../support/fake_clock.ts';

/** A socket whose other end is the test. */
class End extends Duplex {
  readonly received: string[] = [];
  /** Takes nothing until `takeIt` is called. */
  isSlow = false;
  takeIt: () => void = () => {};
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.takeIt = () => {
      this.received.push(chunk.toString());
      done();
    };
    if (!this.isSlow) this.takeIt();
  }
}

function tunnel(idleMs: number | null) {
  const clock = new FakeClock();
  const client = new End();
  const backend = new End();
  const ends: TunnelEnd[] = [];
  const helds: number[] = [];
  const subject: Tunnel = new Tunnel(
    client,
    backend,
    { idleMs },
    clock,
    end => ends.push(end),
    () => helds.push(subject.heldBytes),
  );
  subject.start();
  return { clock, client, backend, ends, helds, subject };
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

test('when one side closes, the other side is closed too', async () => {
  const { client, backend, ends } = tunnel(null);
  backend.destroy();
  await turn();
  assert.equal(client.destroyed, true);
  assert.equal(ends[0]?.cause, 'backend');
});

for (const slowness of ['slow', 'too slow']) {
  test(`a client that is ${slowness} may read what the backend has sent before it left, for a while`, async () => {
    const { clock, client, backend, ends } = tunnel(null);
    client.isSlow = true;
    backend.push('goodbye');
    await turn();
    backend.push(null);
    backend.destroy();
    await turn();
    assert.deepEqual([client.destroyed, ends], [false, []]);
    if (slowness === 'slow') {
      client.takeIt();
      await turn();
      client.push(null);
    } else clock.advance(30_000);
    await turn();
    assert.deepEqual([client.destroyed, ends.length, clock.pendingTimers], [true, 1, 0]);
    assert.deepEqual(client.received, slowness === 'slow' ? ['goodbye'] : []);
  });
}

test('a client that leaves takes the backend with it, whatever that has still to read', async () => {
  const { client, backend, ends } = tunnel(null);
  backend.isSlow = true;
  client.push('too late');
  await turn();
  client.destroy();
  await turn();
  assert.deepEqual([backend.destroyed, ends[0]?.cause], [true, 'client']);
});

const FRAME = Buffer.from([0x81, 0x02, 0x68, 0x69]); // the text "hi"
const CLOSE_1001 = Buffer.from([0x88, 0x02, 0x03, 0xe9]).toString();

test('a tunnel that has to go says 1001 at once between two frames, and nothing of the backend after it', async () => {
  const { client, backend, subject } = tunnel(null);
  backend.push(FRAME);
  await turn();
  subject.goAway();
  subject.goAway();
  backend.push(FRAME);
  client.push('goodbye');
  await turn();
  assert.deepEqual(client.received, [FRAME.toString(), CLOSE_1001]);
  assert.deepEqual(backend.received, ['goodbye'], "the client's close frame closes the backend's side");
});

test('a frame that is half sent is sent to its end first', async () => {
  const { client, backend, subject } = tunnel(null);
  backend.push(FRAME.subarray(0, 3));
  await turn();
  subject.goAway();
  backend.push(Buffer.concat([FRAME.subarray(3), FRAME]));
  await turn();
  assert.deepEqual(client.received.join(''), `${FRAME}${CLOSE_1001}`);
});

test('what it holds because one side is slow is told, and that it holds it no more', async () => {
  const { client, backend, helds, subject } = tunnel(null);
  client.isSlow = true;
  backend.push('x'.repeat(100_000));
  await turn();
  assert.deepEqual(helds, [100_000]);
  client.isSlow = false;
  client.takeIt();
  await turn();
  assert.deepEqual(helds, [100_000, 0]);
  subject.end('shutdown');
});
