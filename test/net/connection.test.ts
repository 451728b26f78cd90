import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { ConnectionTable } from '../../src/net/connection.ts';
import { FakeClock } from '../support/fake_clock.ts';

class FakeSocket extends EventEmitter {
  destroyed = false;
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const limits = { processMax: 4, listenerMax: 3, perIpMax: 2, floodPenaltyMs: 10_000 };

function table() {
  const clock = new FakeClock();
  const subject = new ConnectionTable(clock);
  const admit = (listener: string, ip: string) => {
    const socket = new FakeSocket();
    return { socket, admitted: subject.admit(socket as unknown as Socket, listener, ip, ip, limits) };
  };
  return { clock, subject, admit };
}

test('each limit refuses by its name, and a closed connection frees its place', () => {
  const { subject, admit } = table();
  const first = admit('a', '1');
  admit('a', '1');
  assert.equal(admit('a', '1').admitted, 'clientIp');
  admit('a', '2');
  assert.equal(admit('a', '3').admitted, 'listener');
  admit('b', '1');
  assert.equal(admit('b', '9').admitted, 'process');
  first.socket.destroy();
  assert.equal(typeof admit('a', '1').admitted, 'object');
  assert.equal(subject.size, 4);
});

test('fewer descriptors than the configuration allows connections refuse by a name of their own', () => {
  const { subject, admit } = table();
  subject.descriptorsMax = 1;
  const first = admit('a', '1');
  assert.equal(admit('b', '2').admitted, 'descriptors');
  first.socket.destroy();
  assert.equal(typeof admit('b', '2').admitted, 'object');
});

test('what was refused is known by listener and cause for a minute', () => {
  const { clock, subject, admit } = table();
  for (let count = 0; count < 4; count++) admit('a', '1');
  for (const ip of ['2', '3', '4']) admit('a', ip);
  assert.deepEqual(subject.recentRefusals(), [
    { listener: 'a', cause: 'clientIp', count: 2 },
    { listener: 'a', cause: 'listener', count: 2 },
  ]);
  clock.advance(30_000);
  admit('a', '1');
  clock.advance(30_000);
  assert.deepEqual(subject.recentRefusals(), [{ listener: 'a', cause: 'listener', count: 1 }]);
  clock.advance(60_000);
  assert.deepEqual(subject.recentRefusals(), []);
  subject.noteRefusal('a', 'handshakes');
  assert.deepEqual(subject.recentRefusals(), [{ listener: 'a', cause: 'handshakes', count: 1 }]);
});

test('a drain closes connections that have not begun in time and leaves the others', () => {
  const { clock, subject, admit } = table();
  const [idle, active] = [admit('a', '1'), admit('a', '2')];
  assert(typeof active.admitted === 'object');
  active.admitted.setState('active');
  clock.advance(500);
  assert.deepEqual(
    subject.list().map(({ state, ageMs }) => [state, ageMs]),
    [
      ['new', 500],
      ['active', 500],
    ],
  );
  subject.closeNew(501);
  assert.equal(idle.socket.destroyed, false, 'it may be about to ask');
  subject.closeNew(500);
  assert.deepEqual([idle.socket.destroyed, active.socket.destroyed, subject.size], [true, false, 1]);
});

test('a client whose connections flood gets no new ones for a while; others do, and a peer without a penalty too', () => {
  const { subject, admit, clock } = table();
  const flood = (ip: string, times: number) => {
    for (let time = 0; time < times; time++) {
      const { socket, admitted } = admit('a', ip);
      assert(typeof admitted === 'object');
      admitted.noteCut();
      socket.destroy();
    }
  };
  flood('bad', 32);
  assert.equal(admit('a', 'bad').admitted, 'flooded');
  assert.equal(typeof admit('a', 'good').admitted, 'object');
  assert.equal(typeof admit('b', 'bad').admitted, 'object', 'another listener has its own limits');
  assert.deepEqual(
    subject.recentRefusals().map(({ listener, cause, count }) => [listener, cause, count]),
    [['a', 'flooded', 1]],
  );
  clock.advance(10_000);
  assert.equal(typeof admit('a', 'bad').admitted, 'object');
});

test('a client that gets its penalty loses the connections that have not served it yet, and keeps those that have', () => {
  const { admit } = table();
  const [kept, fresh] = [admit('a', 'bad'), admit('b', 'bad')];
  const other = admit('a', 'good');
  for (const { admitted } of [kept, fresh, other]) assert(typeof admitted === 'object');
  if (typeof kept.admitted === 'string' || typeof fresh.admitted === 'string') return;
  kept.admitted.setState('active');
  kept.admitted.setState('idle');
  fresh.admitted.setState('active');
  for (let time = 0; time < 32; time++) fresh.admitted.noteCut();
  assert.deepEqual(
    [kept, fresh, other].map(({ socket }) => socket.destroyed),
    [false, true, false],
  );
});

test('a PROXY header that names a client with a penalty does not get it in', () => {
  const { subject, admit } = table();
  const identified = () => {
    const { socket, admitted } = admit('a', 'balancer');
    assert(typeof admitted === 'object');
    const refused = subject.identify(admitted, { ip: 'bad', ipKey: 'bad', port: 443 }, limits);
    if (refused === null) admitted.noteCut();
    socket.destroy();
    return refused;
  };
  for (let time = 0; time < 32; time++) assert.equal(identified(), null);
  assert.equal(identified(), 'flooded');
  assert.equal(typeof admit('a', 'balancer').admitted, 'object', 'the balancer itself has done nothing');
});

test('a connection that a PROXY header names counts for its client, and no longer for the balancer', () => {
  const { subject, admit } = table();
  const identify = (from: ReturnType<typeof admit>, ip: string, perIpMax: number | null = 1) => {
    assert(typeof from.admitted === 'object');
    return subject.identify(
      from.admitted,
      { ip, ipKey: ip, port: 443 },
      { perIpMax, floodPenaltyMs: 10_000 },
    );
  };
  const [first, second] = [admit('a', 'balancer'), admit('a', 'balancer')];
  assert.equal(identify(first, 'client'), null);
  assert(typeof first.admitted === 'object');
  const { ip, peerIp, proxiedPort } = first.admitted;
  assert.deepEqual([ip, peerIp, proxiedPort], ['client', 'balancer', 443]);
  assert.equal(typeof admit('a', 'balancer').admitted, 'object', 'the balancer has one connection less');
  assert.equal(identify(second, 'client'), 'clientIp');
  assert.deepEqual(subject.recentRefusals(), [{ listener: 'a', cause: 'clientIp', count: 1 }]);
  assert.equal(identify(second, 'client', null), null, 'one that is exempt is not counted against the limit');
  first.socket.destroy();
  second.socket.destroy();
  const third = admit('a', 'balancer');
  assert.equal(identify(third, 'client'), null, 'what has closed is counted no more');
});
