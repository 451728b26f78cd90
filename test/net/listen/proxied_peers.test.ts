// Who may speak the PROXY protocol, how many may be about to, and who hears of the others.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { ProxiedPeers } from '../../../src/net/listen/proxied_peers.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { proxyV1 } from '../../support/proxy_headers.ts';

class FakeSocket extends EventEmitter {
  localAddress: string | undefined = '127.0.0.1';
  received: Buffer | null = null;
  ending: 'reset' | 'closed' | null = null;
  putBack: Buffer | null = null;
  resetAndDestroy(): void {
    this.ending = 'reset';
  }
  destroy(): void {
    this.ending = 'closed';
  }
  read(): Buffer | null {
    const chunk = this.received;
    this.received = null;
    return chunk;
  }
  unshift(chunk: Buffer): void {
    this.putBack = chunk;
  }
  get(bytes: Buffer): void {
    this.received = bytes;
    this.emit('readable');
  }
}

function peers(pendingMax = 2) {
  const clock = new FakeClock();
  const said: string[] = [];
  let each = 0;
  const subject = new ProxiedPeers(
    { from: ['10.0.0.1'], headerMs: 1_000, pendingMax },
    {
      clock,
      buildNetworkSet: cidrs => ({ contains: ip => cidrs.includes(ip) }),
      onEachRefused: () => void each++,
      onProxyRefused: (cause, peerIp, count) => said.push(`${cause} ${peerIp} ${count}`),
    },
  );
  const connect = (ip: string) => {
    const socket = new FakeSocket();
    const clients: (string | null)[] = [];
    subject.read(socket as unknown as Socket, ip, client => clients.push(client?.sourceIp ?? null));
    return { socket, clients };
  };
  return { clock, said, subject, connect, refusals: () => each };
}

test('a peer from elsewhere is reset before a byte of it is read', () => {
  const { connect, said } = peers();
  const { socket, clients } = connect('192.0.2.1');
  assert.deepEqual([socket.ending, clients, socket.listenerCount('readable')], ['reset', [], 0]);
  assert.deepEqual(said, ['stranger 192.0.2.1 1']);
});

test('on a Unix socket, which knows no reset, a peer from elsewhere is closed', () => {
  const { connect, subject } = peers();
  const socket = new FakeSocket();
  socket.localAddress = undefined;
  subject.read(socket as unknown as Socket, 'unix', () => assert.fail('it may not speak'));
  assert.equal(socket.ending, 'closed');
  assert.equal(connect('10.0.0.1').socket.ending, null);
});

test('a flood of refusals is one line at once and one a second, with the last of them', () => {
  const { connect, said, clock, refusals } = peers();
  for (const ip of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) connect(ip);
  assert.deepEqual(said, ['stranger 192.0.2.1 1']);
  clock.advance(1_000);
  assert.deepEqual(said.at(-1), 'stranger 192.0.2.3 2');
  assert.equal(refusals(), 3);
});

test('headers that are still to come are bounded, and each that comes or fails makes room', () => {
  const { connect, said, clock } = peers();
  const [first, second, third] = [connect('10.0.0.1'), connect('10.0.0.1'), connect('10.0.0.1')];
  assert.deepEqual([first.socket.ending, third.socket.ending, said], [null, 'reset', ['pending 10.0.0.1 1']]);
  first.socket.get(proxyV1('203.0.113.7'));
  assert.deepEqual(first.clients, ['203.0.113.7']);
  const fourth = connect('10.0.0.1');
  assert.equal(fourth.socket.ending, null);
  second.socket.get(Buffer.from('GET / HTTP/1.1\r\n'));
  assert.deepEqual([second.socket.ending, second.clients], ['reset', []]);
  assert.equal(connect('10.0.0.1').socket.ending, null);
  assert.equal(connect('10.0.0.1').socket.ending, 'reset');
  clock.advance(1_000); // the time of those that wait is over
  assert.equal(fourth.socket.ending, 'reset');
  assert.equal(connect('10.0.0.1').socket.ending, null);
  assert.ok(said.includes('not_proxy 10.0.0.1 1') && said.includes('timeout 10.0.0.1 1'), said.join());
});

test('a check that only connects is closed without a word', () => {
  const { connect, said, refusals } = peers();
  const { socket } = connect('10.0.0.1');
  socket.emit('end');
  assert.deepEqual([socket.ending, said, refusals()], ['reset', [], 0]);
});

test('a reload changes who may speak from the next connection on', () => {
  const { connect, subject } = peers();
  const before = connect('10.0.0.1');
  subject.setSettings({ from: ['10.0.0.2'], headerMs: 1_000, pendingMax: 2 });
  before.socket.get(proxyV1('203.0.113.7'));
  assert.deepEqual(before.clients, ['203.0.113.7']);
  assert.equal(connect('10.0.0.1').socket.ending, 'reset');
  assert.equal(connect('10.0.0.2').socket.ending, null);
  subject.setSettings(null);
  assert.equal(connect('10.0.0.2').socket.ending, 'reset');
});
