/** What a backend can do with a request, good and bad. For scripted_backend.ts. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { WebSocketServer } from 'ws';
import { formatChunk, formatHead, formatLastChunk, value } from './http1_message.ts';
import type { BackendRequest, Behaviour } from './scripted_backend.ts';

export interface AnswerOptions {
  readonly status?: number;
  readonly reason?: string;
  /** Flat: name, value, ... Framing is added unless it is here. */
  readonly headers?: readonly string[];
  readonly body?: string | Buffer | Iterable<Buffer> | AsyncIterable<Buffer>;
  readonly framing?: 'length' | 'chunked' | 'close';
  readonly trailers?: readonly string[];
  /** 1xx heads before the answer. */
  readonly information?: readonly (readonly [status: number, headers: readonly string[]])[];
  /** Answers without waiting for the body of the request. */
  readonly early?: boolean;
}

export function answer(options: AnswerOptions = {}): Behaviour {
  return async request => {
    const { status = 200, reason = '', body = '', information = [], trailers = [] } = options;
    const whole = typeof body === 'string' || Buffer.isBuffer(body);
    const framing = options.framing ?? (whole && trailers.length === 0 ? 'length' : 'chunked');
    for (const [early, headers] of information)
      request.socket.write(formatHead(`HTTP/1.1 ${early} `, headers));
    if (options.early !== true) await request.body();
    const headers = [...(options.headers ?? [])];
    const bodyless = status === 204 || status === 304;
    if (framing === 'length' && !bodyless && value(headers, 'content-length') === null) {
      headers.push('Content-Length', String(Buffer.byteLength(whole ? body : '')));
    }
    if (framing === 'chunked') headers.push('Transfer-Encoding', 'chunked');
    if (framing === 'close') headers.push('Connection', 'close');
    request.socket.write(formatHead(`HTTP/1.1 ${status} ${reason}`, headers));
    if (request.method !== 'HEAD' && !bodyless) {
      for await (const chunk of whole ? [Buffer.from(body)] : body) {
        if (chunk.length > 0) await write(request, framing === 'chunked' ? formatChunk(chunk) : chunk);
      }
      if (framing === 'chunked') request.socket.write(formatLastChunk(trailers));
    }
    if (framing !== 'close') return 'done';
    request.socket.end();
    return 'over';
  };
}

/** Writes at the pace of the reader; a peer that has gone reads everything at once. */
export async function write({ socket }: BackendRequest, bytes: Buffer | string): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) return;
  await new Promise<void>(resolve => {
    const go = () => {
      socket.off('drain', go).off('close', go);
      resolve();
    };
    socket.on('drain', go).on('close', go);
  });
}

/** What `echo` answers with, as JSON. */
export interface Echo {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly bodyBytes: number;
  readonly bodySha256: string;
  readonly bodyComplete: boolean;
  readonly trailers: readonly string[];
}

/** Answers with what it has seen. */
export function echo(headers: readonly string[] = []): Behaviour {
  return async request => {
    const { bytes, sha256, complete, trailers } = await request.body();
    const { method, target } = request;
    const seen: Echo = {
      method,
      target,
      headers: request.headers,
      bodyBytes: bytes,
      bodySha256: sha256,
      bodyComplete: complete,
      trailers,
    };
    const list = ['Content-Type', 'application/json', ...headers];
    return answer({ headers: list, body: JSON.stringify(seen) })(request);
  };
}

// ---- In order, in time

/** The first request meets the first behaviour, and so on; the last one stays. Counts over all connections. */
export function inTurn(...behaviours: readonly [Behaviour, ...Behaviour[]]): Behaviour {
  let next = 0;
  return request => {
    const behaviour = behaviours[Math.min(next, behaviours.length - 1)] ?? behaviours[0];
    next++;
    return behaviour(request);
  };
}

/** Waits until the test lets it go on. */
export function after(released: Promise<unknown>, behaviour: Behaviour): Behaviour {
  return async request => {
    await released;
    return behaviour(request);
  };
}

/** 103 Early Hints (RFC 8297) first. */
export function earlyHints(link: string, behaviour: Behaviour): Behaviour {
  return request => {
    request.socket.write(formatHead('HTTP/1.1 103 Early Hints', ['Link', link]));
    return behaviour(request);
  };
}

/** Asks for the body only now (RFC 9110 section 10.1.1). */
export function continueFirst(behaviour: Behaviour): Behaviour {
  return request => {
    request.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    return behaviour(request);
  };
}

// ---- Silence

/** Reads the request and never says a word. */
export function staySilent(): Behaviour {
  return async (request): Promise<'over'> => {
    await request.body();
    return 'over';
  };
}

/** Does not even read the body: an upload meets backpressure. Nor does it notice that the peer leaves. */
export function readNothing(): Behaviour {
  return () => 'taken';
}

/** A head and some bytes of the body, then nothing. */
export function stallAfterHead(bytes = ''): Behaviour {
  return async (request): Promise<'over'> => {
    await request.body();
    request.socket.write(formatHead('HTTP/1.1 200 OK', ['Content-Length', String(bytes.length + 1_000)]));
    request.socket.write(bytes);
    return 'over';
  };
}

// ---- Ends

/** RST instead of an answer. */
export function resetBeforeHead(): Behaviour {
  return ({ socket }) => {
    socket.resetAndDestroy();
    return 'over';
  };
}

/** FIN instead of an answer. */
export function closeBeforeHead(): Behaviour {
  return ({ socket }) => {
    socket.end();
    return 'over';
  };
}

export interface Cut {
  readonly framing?: 'length' | 'chunked';
  /** RST, or FIN. */
  readonly how?: 'reset' | 'close';
  /** When; a test that wants the first bytes to arrive waits for them and then says so. */
  readonly released?: Promise<unknown>;
}

/** Promises more than it sends, and ends in the middle. */
export function cutInBody(
  sent: string,
  { framing = 'length', how = 'reset', released }: Cut = {},
): Behaviour {
  return async ({ socket }): Promise<'over'> => {
    const chunked = framing === 'chunked';
    const headers = chunked
      ? ['Transfer-Encoding', 'chunked']
      : ['Content-Length', String(sent.length + 1_000)];
    socket.write(formatHead('HTTP/1.1 200 OK', headers));
    await new Promise(resolve => socket.write(chunked ? formatChunk(sent) : sent, resolve));
    await released;
    if (how === 'reset') socket.resetAndDestroy();
    else socket.end();
    return 'over';
  };
}

/** The first request of each connection is served; the next one finds the connection closed. */
export function closeOnReuse(behaviour: Behaviour, how: 'reset' | 'close' = 'reset'): Behaviour {
  return request => {
    if (request.numberOnConnection === 1) return behaviour(request);
    if (how === 'reset') request.socket.resetAndDestroy();
    else request.socket.end();
    return 'over';
  };
}

/** Closes each connection after so many answers, as a keep-alive limit would: with FIN and without a word. */
export function closeAfter(requestsMax: number, behaviour: Behaviour): Behaviour {
  return async request => {
    const outcome = await behaviour(request);
    if (outcome !== 'done' || request.numberOnConnection < requestsMax) return outcome;
    request.socket.end();
    return 'over';
  };
}

// ---- Nonsense

/** These bytes and no others, whatever they are. */
export function raw(bytes: string | Buffer, then: 'keep' | 'close' = 'keep'): Behaviour {
  return async request => {
    await request.body();
    request.socket.write(Buffer.from(bytes as string, 'latin1'));
    if (then === 'close') request.socket.end();
    return then === 'close' ? 'over' : 'done';
  };
}

/** One question, two answers: the second must never reach anybody. */
export function answerTwice(first: string, second: string): Behaviour {
  const one = (body: string) =>
    `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  return raw(one(first) + one(second));
}

// ---- WebSocket

/** Accepts the handshake and echoes each message. */
export function webSocketEcho(): Behaviour {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  return ({ method, target, headers, socket, reader }) => {
    const record: Record<string, string> = {};
    for (let at = 0; at < headers.length; at += 2)
      record[String(headers[at]).toLowerCase()] = String(headers[at + 1]);
    socket.removeAllListeners('readable');
    const request = { method, url: target, headers: record, socket } as unknown as IncomingMessage;
    server.handleUpgrade(request, socket, reader.buffered, connection => {
      connection.on('error', () => {});
      connection.on('message', (data, isBinary) => connection.send(data, { binary: isBinary }));
    });
    return 'taken';
  };
}

/** Accepts the handshake and hands over the bare connection. */
export function tunnel(onOpen: (request: BackendRequest) => void): Behaviour {
  return request => {
    const key = value(request.headers, 'sec-websocket-key');
    const headers = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];
    if (key !== null) headers.push('Sec-WebSocket-Accept', webSocketAccept(key));
    request.socket.write(formatHead('HTTP/1.1 101 Switching Protocols', headers));
    onOpen(request);
    return 'taken';
  };
}

/** What proves that a backend has read the handshake (RFC 6455 section 4.2.2). */
export function webSocketAccept(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}
