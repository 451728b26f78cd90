/**
 * Clients that send one short request after the other: over kept HTTP/1.1 connections, and as the concurrent streams of HTTP/2
 * sessions. Each request has its own `X-Id`, with which the backend answers, so that no answer can stand for another.
 *
 * From `expectEnd` on a client that finds nobody to talk to has come to its end; before, that is a failure.
 */
import http from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';

/** What happened to a request that did not get its answer. */
export interface Lost {
  readonly id: string;
  readonly why: string;
  /** It was the first of its connection, or stream of a session that takes no more. */
  readonly isNew: boolean;
}

export abstract class ShortRequests {
  readonly failures: Lost[] = [];
  /** After `expectEnd`: these found nobody who would take them. */
  readonly refused: Lost[] = [];
  answered = 0;
  #isStopping = false;
  #isEndExpected = false;
  #next = 0;
  readonly #prefix: string;
  readonly #waiting = new Set<() => void>();
  protected readonly clients: Promise<void>[] = [];

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Resolves when so many more have been answered. */
  async goOn(more: number): Promise<void> {
    const until = this.answered + more;
    while (this.answered < until && this.failures.length === 0)
      await new Promise<void>(resolve => this.#waiting.add(resolve));
  }
  expectEnd(): void {
    this.#isEndExpected = true;
  }
  /** Resolves when every client has found nobody who takes its next request. */
  async ended(): Promise<void> {
    await Promise.all(this.clients);
    this.close();
  }
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.ended();
  }

  /** One request at a time. */
  protected async run(ask: (id: string) => Promise<Lost | null>, pauseMs: number): Promise<void> {
    while (!this.#isStopping) {
      const lost = await ask(`${this.#prefix}${this.#next++}`);
      if (lost === null) this.answered++;
      else (this.#isEndExpected && isRefusal(lost) ? this.refused : this.failures).push(lost);
      for (const wake of this.#waiting) wake();
      this.#waiting.clear();
      if (lost !== null) return;
      if (pauseMs > 0) await sleep(pauseMs);
    }
  }
  protected abstract close(): void;
}

/** Nothing of it was taken: who gets this may send the request to somebody else. */
function isRefusal({ why, isNew }: Lost): boolean {
  return isNew && ['ECONNREFUSED', 'ECONNRESET', 'GOAWAY'].includes(why);
}

export class KeptConnections extends ShortRequests {
  readonly #agents: http.Agent[] = [];
  readonly #port: number;
  /** Connections so far; as many as clients as long as none is closed. */
  connections = 0;

  constructor(port: number, clients: number, pauseMs: number) {
    super('kept-');
    this.#port = port;
    for (let count = 0; count < clients; count++) {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      this.#agents.push(agent);
      this.clients.push(this.run(id => this.#ask(agent, id), pauseMs));
    }
  }

  #ask(agent: http.Agent, id: string): Promise<Lost | null> {
    return new Promise(resolve => {
      const options = { host: '127.0.0.1', port: this.#port, path: '/now', agent, headers: { 'x-id': id } };
      const request = http.get(options);
      let isNew = false;
      request.on('socket', () => {
        isNew = !request.reusedSocket;
        if (isNew) this.connections++;
      });
      const lost = (why: string) => resolve({ id, why, isNew });
      request.on('error', error => lost('code' in error ? String(error.code) : error.message));
      request.on('response', response => {
        let text = '';
        response.on('data', chunk => {
          text += chunk;
        });
        response.on('end', () =>
          response.statusCode === 200 && text === id ? resolve(null) : lost(`${response.statusCode} ${text}`),
        );
        response.on('error', () => lost('cut'));
      });
    });
  }
  protected close(): void {
    for (const agent of this.#agents) agent.destroy();
  }
}

export class ConcurrentStreams extends ShortRequests {
  readonly #sessions: readonly ClientHttp2Session[];

  constructor(sessions: readonly ClientHttp2Session[], streamsPerSession: number) {
    super('stream-');
    this.#sessions = sessions;
    for (const session of sessions) {
      let isLeaving = false;
      session.on('goaway', () => {
        isLeaving = true;
      });
      const ask = async (id: string) =>
        isLeaving || session.closed || session.destroyed
          ? { id, why: 'GOAWAY', isNew: true }
          : askOnStream(session, id, () => isLeaving);
      for (let count = 0; count < streamsPerSession; count++) this.clients.push(this.run(ask, 0));
    }
  }

  protected close(): void {
    for (const session of this.#sessions) session.close();
  }
}

const NGHTTP2_REFUSED_STREAM = 7;

function askOnStream(
  session: ClientHttp2Session,
  id: string,
  isLeaving: () => boolean,
): Promise<Lost | null> {
  return new Promise(resolve => {
    const stream = session.request({ ':path': '/held', ':authority': 'app.test', 'x-id': id });
    let status = 0;
    let text = '';
    let why = '';
    stream.on('response', fields => {
      status = Number(fields[':status']);
    });
    stream.on('data', chunk => {
      text += chunk;
    });
    stream.on('error', error => {
      why = 'code' in error ? String(error.code) : error.message;
    });
    stream.on('close', () => {
      if (status === 200 && text === id && stream.rstCode === 0) return resolve(null);
      // GOAWAY and this request have crossed: nobody has taken it (RFC 9113 section 6.8).
      const isNew = isLeaving() && status === 0 && (stream.rstCode === NGHTTP2_REFUSED_STREAM || why === '');
      resolve({ id, why: isNew ? 'GOAWAY' : `${status} ${text} ${stream.rstCode} ${why}`, isNew });
    });
  });
}
