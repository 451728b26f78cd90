/**
 * One connection to a Redis or Valkey server. Commands are sent without waiting for the reply to the previous one
 * (pipelining). Replies come in the same order; the caller matches them to its commands.
 *
 * Why a client of our own: docs/decisions/0013-a-redis-client-of-our-own.md.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../resilience/clock.ts';
import { detailOf, type Failure } from '../resilience/failure.ts';
import { type ConnectTarget, connect } from './connect.ts';
import { formatCommand, type Reply, ReplyReader } from './redis_reply.ts';
import type { RedisAddress } from './redis_url.ts';
import type { ClientTlsSettings } from './tls.ts';

export interface RedisTarget extends Omit<RedisAddress, 'secure'> {
  /** Null: without TLS. */
  readonly tls: ClientTlsSettings | null;
  readonly connectTimeoutMs: number;
}

export interface RedisObserver {
  /** Commands can be sent. The login commands were already sent, and their `loginReplies` replies come first. */
  onOpen(loginReplies: number): void;
  onReply(reply: Reply): void;
  /** Called once, also if the connection never opened; not after `close`. */
  onEnd(why: string): void;
}

export interface RedisConnection {
  send(words: readonly string[]): void;
  close(): void;
}

/** Maximum of bytes that the operating system has not taken. Above it the server does not read, and the connection ends. */
const UNSENT_BYTES_MAX = 1_024 * 1_024;

export function openRedis(target: RedisTarget, clock: Clock, observer: RedisObserver): RedisConnection {
  let socket: Socket | null = null;
  let isOver = false;
  const end = (why: string): void => {
    if (isOver) return;
    isOver = true;
    socket?.destroy();
    observer.onEnd(why);
  };
  const giveUp = connect(connectTarget(target), clock, (failure, opened) => {
    if (opened === null) {
      end(failure === null ? 'no connection' : connectProblem(failure));
      return;
    }
    socket = opened;
    const reader = new ReplyReader(reply => {
      if (!isOver) observer.onReply(reply);
    });
    opened.on('data', (chunk: Buffer) => {
      if (!reader.take(chunk)) end('it does not speak the Redis protocol');
    });
    opened.on('error', error => end('code' in error ? String(error.code) : error.message));
    opened.on('close', () => end('it closed the connection'));
    const login = loginCommands(target);
    for (const words of login) opened.write(formatCommand(words));
    observer.onOpen(login.length);
  });
  return {
    send(words) {
      if (isOver || socket === null) return;
      socket.write(formatCommand(words));
      if (socket.writableLength > UNSENT_BYTES_MAX) end('it does not read what is sent');
    },
    close() {
      if (isOver) return;
      isOver = true;
      giveUp();
      socket?.destroy();
    },
  };
}

function connectTarget({ host, port, tls, connectTimeoutMs }: RedisTarget): ConnectTarget {
  return { address: { kind: 'tcp', host, port }, tls, protocols: [], connectTimeoutMs };
}

function loginCommands({ username, password, database }: RedisTarget): string[][] {
  const commands = [];
  if (password !== null) commands.push(username === null ? ['AUTH', password] : ['AUTH', username, password]);
  if (database !== 0) commands.push(['SELECT', String(database)]);
  return commands;
}

function connectProblem(failure: Failure): string {
  const detail = detailOf(failure);
  return detail === null
    ? failure.kind.replaceAll('_', ' ')
    : `${failure.kind.replaceAll('_', ' ')} (${detail})`;
}
