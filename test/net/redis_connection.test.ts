import assert from 'node:assert/strict';
import net, { type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { openRedis, type RedisConnection, type RedisTarget } from '../../src/net/redis_connection.ts';
import type { Reply } from '../../src/net/redis_reply.ts';
import { systemClock } from '../../src/resilience/clock.ts';
import { ca, caFile, server } from '../support/certificates.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { needs } from '../support/programs.ts';
import { startRedis } from '../support/redis_server.ts';

checkLeaks();

const TARGET = {
  host: '127.0.0.1',
  username: null,
  password: null,
  database: 0,
  tls: null,
  connectTimeoutMs: 5_000,
};

/** Opens it and tells what happens, one after another. */
function open(target: RedisTarget) {
  const events: (Reply | { readonly open: number } | { readonly end: string })[] = [];
  let wake = (): void => {};
  const say = (event: (typeof events)[number]): void => {
    events.push(event);
    wake();
  };
  const connection = openRedis(target, systemClock, {
    onOpen: loginReplies => say({ open: loginReplies }),
    onReply: reply => say(reply),
    onEnd: why => say({ end: why }),
  });
  const next = async (count: number) => {
    while (events.length < count)
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    return events;
  };
  return { connection, next };
}

async function withServer(
  onSocket: (socket: Socket) => void,
  use: (target: RedisTarget) => Promise<RedisConnection>,
): Promise<void> {
  const listener = net.createServer(onSocket);
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve));
  const connection = await use({ ...TARGET, port: (listener.address() as AddressInfo).port });
  connection.close();
  await new Promise(resolve => listener.close(resolve));
}

test('commands go out at once, and replies come in their order', needs('redis-server'), async () => {
  await using redis = await startRedis();
  const { connection, next } = open({ ...TARGET, port: redis.port, database: 5 });
  assert.deepEqual(await next(1), [{ open: 1 }]);
  connection.send(['SET', 'a', '1']);
  connection.send(['INCR', 'a']);
  connection.send(['NONSENSE']);
  const [, select, set, incremented, error] = await next(5);
  assert.deepEqual([select, set, incremented], ['OK', 'OK', 2]);
  assert.match(JSON.stringify(error), /unknown command/);
  connection.close();
  assert.equal(await redis.command('EXISTS', 'a'), 0, 'it is in the other database');
});

test('user and password log in before anything else is asked', needs('redis-server'), async () => {
  await using redis = await startRedis(['--user', 'edge', 'on', '>secret', '~*', '+@all']);
  const { connection, next } = open({ ...TARGET, port: redis.port, username: 'edge', password: 'secret' });
  await next(1);
  connection.send(['ACL', 'WHOAMI']);
  assert.deepEqual((await next(3)).slice(1), ['OK', 'edge']);
  connection.close();
});

test('TLS verifies the server by its certificate', needs('redis-server'), async () => {
  const files = [
    '--tls-cert-file',
    server.certFile,
    '--tls-key-file',
    server.keyFile,
    '--tls-ca-cert-file',
    caFile,
  ];
  await using redis = await startRedis([...files, '--tls-auth-clients', 'no'], true);
  const tls = { verify: true, serverName: null, caPem: ca, certPem: null, keyPem: null };
  const good = open({ ...TARGET, port: redis.port, tls });
  await good.next(1);
  good.connection.send(['PING']);
  assert.deepEqual((await good.next(2))[1], 'PONG');
  good.connection.close();
  const stranger = open({ ...TARGET, port: redis.port, tls: { ...tls, caPem: null } });
  assert.match(JSON.stringify(await stranger.next(1)), /tls failed \(certificate /);
});

test('a server that speaks another protocol or closes ends the connection, once', async () => {
  await withServer(
    socket => void socket.write('SSH-2.0-OpenSSH\r\n'),
    async target => {
      const { connection, next } = open(target);
      assert.deepEqual(await next(2), [{ open: 0 }, { end: 'it does not speak the Redis protocol' }]);
      return connection;
    },
  );
  await withServer(
    socket => void socket.end('+OK\r\n'),
    async target => {
      const { connection, next } = open(target);
      assert.deepEqual(await next(3), [{ open: 0 }, 'OK', { end: 'it closed the connection' }]);
      return connection;
    },
  );
});

test('a port without a listener is reported, and a closed connection reports nothing more', async () => {
  const { next } = open({ ...TARGET, port: 1 });
  assert.deepEqual(await next(1), [{ end: 'connect refused' }]);
  await withServer(
    () => {},
    async target => {
      const { connection, next: later } = open(target);
      await later(1);
      connection.close();
      connection.send(['PING']);
      await new Promise(setImmediate);
      assert.deepEqual(await later(1), [{ open: 0 }]);
      return connection;
    },
  );
});
