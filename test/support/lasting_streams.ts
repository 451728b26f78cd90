/**
 * Downloads, uploads, event streams and WebSockets that last, over HTTP/1.1 in clear and over TLS, and over HTTP/2. Each goes on a beat
 * at a time, checks what it gets, and says when it was cut. The other side is traffic_backend.ts.
 */
import http, { type ClientRequest } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import https from 'node:https';
import type { Readable, Writable } from 'node:stream';
import { WebSocket } from 'ws';
import type { TrafficBackend } from './traffic_backend.ts';

const BEAT_MS = 50;
const GOING_AWAY = 1_001; // RFC 6455 section 7.4.1
const UPLOAD_CHUNK = Buffer.alloc(4_096, 'u');
const FIELDS = { 'content-type': 'application/octet-stream' };

export interface Carriers {
  readonly plainPort: number;
  readonly tlsPort: number;
  readonly session: ClientHttp2Session;
}

/** One that lasts. */
interface Lasting {
  readonly name: string;
  /** Beats that have arrived, at either end. */
  beats: number;
  isFinishing: boolean;
  isOver: boolean;
  readonly over: PromiseWithResolvers<void>;
  /** The client's part of its end. */
  finish(): void;
}

interface Exchange {
  readonly writable: Writable;
  readonly readable: Promise<Readable & { readonly statusCode?: number }>;
}

export class LastingStreams {
  readonly failures: string[] = [];
  /** WebSockets that the proxy has ended because it is going away. */
  goneAway = 0;
  #isEndExpected = false;
  readonly #backend: TrafficBackend;
  readonly #all: Lasting[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #eachBeat = new Set<() => void>();
  readonly #waiting = new Set<() => void>();

  constructor(carriers: Carriers, backend: TrafficBackend, ofEachKind: number) {
    this.#backend = backend;
    this.#timer = setInterval(() => {
      for (const beat of this.#eachBeat) beat();
    }, BEAT_MS);
    for (let number = 0; number < ofEachKind; number++) {
      for (const [carrier, open] of Object.entries(opened(carriers))) {
        this.#download(`download ${number} over ${carrier}`, open);
        this.#events(`event stream ${number} over ${carrier}`, open);
        this.#upload(`upload ${number} over ${carrier}`, open);
      }
      for (const url of [`ws://127.0.0.1:${carriers.plainPort}`, `wss://127.0.0.1:${carriers.tlsPort}`])
        this.#webSocket(`WebSocket ${number} at ${url}`, url);
    }
  }

  get count(): number {
    return this.#all.length;
  }

  /** From now on the proxy may end a WebSocket with 1001, after which its client connects elsewhere. */
  expectEnd(): void {
    this.#isEndExpected = true;
  }

  /** Until each that is not over has had so many more beats, or one has failed. */
  async goOn(more: number): Promise<void> {
    const goals = this.#all.map(one => one.beats + more);
    while (
      this.failures.length === 0 &&
      this.#all.some((one, at) => !one.isOver && one.beats < (goals[at] ?? 0))
    )
      await new Promise<void>(resolve => this.#waiting.add(resolve));
  }

  /** Ends each as its protocol ends it, and waits until all have come to their end. */
  async finish(): Promise<void> {
    clearInterval(this.#timer);
    for (const one of this.#all) one.isFinishing = true;
    this.#backend.finish();
    for (const one of this.#all) one.finish();
    await Promise.all(this.#all.map(({ over }) => over.promise));
  }

  #add(name: string, finish: () => void): Lasting {
    const one: Lasting = {
      name,
      beats: 0,
      isFinishing: false,
      isOver: false,
      over: Promise.withResolvers<void>(),
      finish,
    };
    this.#all.push(one);
    return one;
  }
  #beat(one: Lasting): void {
    one.beats++;
    this.#wake();
  }
  #end(one: Lasting, problem: string | null): void {
    const why = problem ?? (one.isFinishing ? null : 'ended too early');
    if (why !== null) this.failures.push(`${one.name}: ${why} after ${one.beats} beats`);
    one.isOver = true;
    one.over.resolve();
    this.#wake();
  }
  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #download(name: string, open: Open): void {
    const one = this.#add(name, () => {});
    let bytes = 0;
    const { writable, readable } = open('/lasting/download', 'GET', name);
    writable.end();
    void this.#read(readable, chunk => {
      bytes += chunk.length;
      this.#beat(one);
    }).then(problem => {
      const sent = this.#backend.sentBytes.get(name);
      this.#end(one, problem ?? (bytes === sent ? null : `${bytes} of ${sent} bytes`));
    });
  }

  #events(name: string, open: Open): void {
    const one = this.#add(name, () => {});
    let text = '';
    const { writable, readable } = open('/lasting/events', 'GET', name);
    writable.end();
    void this.#read(readable, chunk => {
      text += chunk.toString();
      this.#beat(one);
    }).then(problem => {
      const events = text.split('\n\n').slice(0, -1);
      const isWhole = events.every((event, at) =>
        at === events.length - 1 ? event === 'data: the end' : event === `data: ${at}`,
      );
      this.#end(one, problem ?? (isWhole ? null : 'events are missing'));
    });
  }

  #upload(name: string, open: Open): void {
    const { writable, readable } = open('/lasting/upload', 'POST', name);
    let bytes = 0;
    const beat = () =>
      writable.write(UPLOAD_CHUNK, error => {
        if (error) return;
        bytes += UPLOAD_CHUNK.length;
        this.#beat(one);
      });
    const one = this.#add(name, () => writable.end());
    this.#eachBeat.add(beat);
    let text = '';
    void this.#read(readable, chunk => {
      text += chunk.toString();
    }).then(problem => {
      this.#eachBeat.delete(beat);
      this.#end(one, problem ?? (text === String(bytes) ? null : `${text} of ${bytes} bytes have arrived`));
    });
  }

  #webSocket(name: string, url: string): void {
    const socket = new WebSocket(`${url}/lasting/socket`, { rejectUnauthorized: false });
    let sent = 0;
    const one = this.#add(name, () => socket.close(1_000));
    let problem: string | null = null;
    socket.on('message', data => {
      if (String(data) !== String(one.beats)) problem ??= `${data} in place of ${one.beats}`;
      this.#beat(one);
    });
    socket.on('open', () => this.#eachBeat.add(beat));
    const beat = () => socket.send(String(sent++));
    socket.on('error', error => {
      problem ??= error.message;
    });
    socket.on('close', code => {
      this.#eachBeat.delete(beat);
      if (code === GOING_AWAY && this.#isEndExpected) {
        this.goneAway++;
        one.isFinishing = true;
        return this.#end(one, problem);
      }
      this.#end(one, problem ?? (code === 1_000 ? null : `closed with ${code}`));
    });
  }

  /** Null, or what went wrong. */
  async #read(readable: Exchange['readable'], onChunk: (chunk: Buffer) => void): Promise<string | null> {
    try {
      const body = await readable;
      if (body.statusCode !== 200) return `answered with ${body.statusCode}`;
      for await (const chunk of body) onChunk(chunk as Buffer);
      return null;
    } catch (error) {
      return `cut: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}

type Open = (path: string, method: string, id: string) => Exchange;

function opened({ plainPort, tlsPort, session }: Carriers): Readonly<Record<string, Open>> {
  const http1 = (send: typeof http.request, port: number) => (path: string, method: string, id: string) => {
    const options = { host: '127.0.0.1', port, path, method, agent: false as const };
    const request = send({
      ...options,
      ...{ rejectUnauthorized: false },
      headers: { ...FIELDS, 'x-id': id },
    });
    return { writable: request, readable: responseOf(request) };
  };
  return {
    'HTTP/1.1': http1(http.request, plainPort),
    TLS: http1(https.request, tlsPort),
    'HTTP/2': (path, method, id) => {
      const fields = { ':path': path, ':method': method, ':authority': 'app.test', ...FIELDS, 'x-id': id };
      const stream = session.request(fields, { endStream: false });
      const readable = new Promise<Readable & { statusCode?: number }>((resolve, reject) => {
        stream.on('response', head =>
          resolve(Object.assign(stream, { statusCode: Number(head[':status']) })),
        );
        stream.on('error', reject);
        stream.on('close', () => reject(new Error('closed before a response')));
      });
      readable.catch(() => {}); // it is awaited a turn later
      return { writable: stream, readable };
    },
  };
}

function responseOf(request: ClientRequest): Exchange['readable'] {
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    request.on('close', () => reject(new Error('closed before a response')));
  });
}
