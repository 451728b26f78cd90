/**
 * A client that sends exactly the bytes it is told, and reports exactly what came back. For TLS, Unix sockets and
 * half-open connections alike. It never repeats, never follows, never completes anything.
 *
 *   const client = await connectRaw({ port });
 *   client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
 *   const answer = await client.answer();
 */
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { formatHead, framingOf, type MessageBody, readBody, readHead } from './http1_message.ts';
import { type Ending, SocketReader } from './socket_reader.ts';

export type Target = ({ readonly port: number; readonly host?: string } | { readonly path: string }) & {
  readonly tls?: Omit<tls.ConnectionOptions, 'host' | 'port' | 'path'>;
  /** The address to come from: 127.0.0.2 is another client than 127.0.0.1. */
  readonly localAddress?: string;
  /** Comes first, before TLS too: what a load balancer writes in front of its client's bytes. */
  readonly proxyHeader?: Buffer;
};

export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  readonly version: string;
  readonly headers: readonly string[];
  /** 1xx heads before this one. */
  readonly information: readonly { readonly status: number; readonly headers: readonly string[] }[];
}

/** Times are milliseconds from the call of `answer`. */
export interface Answer extends AnswerHead, Omit<MessageBody, 'content'> {
  /** At most the first MiB; `bytes` and `sha256` are of all. */
  readonly body: Buffer;
  readonly text: string;
  readonly headMs: number;
  readonly totalMs: number;
}

/** The connection ended before the body did. */
export class TruncatedAnswer extends Error {
  readonly answer: Answer;
  constructor(answer: Answer) {
    super(`the answer (${answer.status}) was cut after ${answer.bytes} bytes of its body`);
    this.answer = answer;
  }
}

/** `using client = await connectRaw(...)` leaves nothing open when the test fails. */
export interface RawClient extends Disposable {
  readonly socket: Socket;
  readonly reader: SocketReader;
  /** `end` for FIN, `reset` for everything else. */
  readonly ended: Promise<Ending>;
  /** Resolves when the bytes are with the operating system. */
  send(bytes: string | Buffer): Promise<void>;
  /** The next head, past 1xx. Fails when the connection ends before it. */
  head(): Promise<AnswerHead>;
  /**
   * The next answer, whole; one that is cut short fails with `TruncatedAnswer`. A 101 has no body: what follows
   * is in `reader`.
   */
  answer(method?: string, onChunk?: (chunk: Buffer) => Promise<void> | void): Promise<Answer>;
  /** FIN: nothing more from this side. */
  finish(): void;
  /** Gone, without ceremony (FIN of both directions). */
  destroy(): void;
  /** Gone with RST. */
  reset(): void;
}

export async function connectRaw(target: Target): Promise<RawClient> {
  const socket = await open(target);
  const reader = new SocketReader(socket);
  const head = async (): Promise<AnswerHead> => {
    const information: { status: number; headers: readonly string[] }[] = [];
    for (;;) {
      const message = await readHead(reader);
      if (message === null) {
        const left = JSON.stringify(reader.buffered.toString('latin1'));
        throw new Error(`the connection ended (${await reader.ended}) before an answer; what came: ${left}`);
      }
      const [version = '', code = '', ...words] = message.startLine.split(' ');
      const status = Number(code);
      if (status >= 200 || status === 101) {
        return { status, reason: words.join(' '), version, headers: message.headers, information };
      }
      information.push({ status, headers: message.headers });
    }
  };
  return {
    socket,
    reader,
    ended: reader.ended,
    send: bytes =>
      new Promise(resolve => {
        socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => resolve());
      }),
    head,
    async answer(method = 'GET', onChunk) {
      const startedAtMs = performance.now();
      const answerHead = await head();
      const headMs = performance.now() - startedAtMs;
      const { status, headers } = answerHead;
      const framing = framingOf(headers, { method, status });
      const { content, ...facts } = await readBody(reader, framing, onChunk);
      const totalMs = performance.now() - startedAtMs;
      const whole = { ...answerHead, ...facts, body: content, text: content.toString(), headMs, totalMs };
      if (!whole.complete) throw new TruncatedAnswer(whole);
      return whole;
    },
    finish: () => void socket.end(),
    destroy: () => void socket.destroy(),
    reset: () => void socket.resetAndDestroy(),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

function open(target: Target): Promise<Socket> {
  const where =
    'path' in target ? { path: target.path } : { host: target.host ?? '127.0.0.1', port: target.port };
  const local = target.localAddress === undefined ? {} : { localAddress: target.localAddress };
  return new Promise((resolve, reject) => {
    const plain = net.connect({ ...where, ...local, noDelay: true, allowHalfOpen: true });
    if (target.proxyHeader !== undefined) plain.write(target.proxyHeader);
    const socket = target.tls === undefined ? plain : tls.connect({ ...target.tls, socket: plain });
    socket.once('error', reject);
    socket.once(target.tls === undefined ? 'connect' : 'secureConnect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    if (socket !== plain) plain.once('error', reject);
  });
}

export interface RequestOptions {
  readonly method?: string;
  /** Flat: name, value, ... `Host` is added unless it is here; so is `Content-Length` with a body. */
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
}

export function formatRequest(
  path: string,
  { method = 'GET', headers = [], body }: RequestOptions = {},
): Buffer {
  const names = new Set(headers.filter((_, at) => at % 2 === 0).map(name => name.toLowerCase()));
  const list = names.has('host') ? [...headers] : ['Host', 'app.test', ...headers];
  if (body !== undefined && !names.has('content-length') && !names.has('transfer-encoding')) {
    list.push('Content-Length', String(Buffer.byteLength(body)));
  }
  return Buffer.concat([formatHead(`${method} ${path} HTTP/1.1`, list), Buffer.from(body ?? '')]);
}

/** One request on a connection of its own. */
export async function fetchRaw(target: Target, path: string, options: RequestOptions = {}): Promise<Answer> {
  const client = await connectRaw(target);
  try {
    void client.send(formatRequest(path, options));
    return await client.answer(options.method);
  } finally {
    client.destroy();
  }
}
