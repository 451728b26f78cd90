/**
 * Requests at a constant rate, whatever becomes of them: a load that waits for its answers would be kind to a proxy that
 * hangs. Each is remembered with its answer.
 */
import http from 'node:http';

export interface Sent {
  readonly id: string;
  readonly atMs: number; // since the start of the load
  readonly tookMs: number;
  /** 0 where the connection broke. */
  readonly status: number;
  /** The body, or the code of the error. */
  readonly text: string;
  readonly method: 'GET' | 'POST';
}

export interface LoadOptions {
  readonly perSecond: number;
  /** Every so many requests is a POST; 0: none. */
  readonly postEach?: number;
}

const TICK_MS = 5;

export class SteadyLoad {
  readonly sent: Sent[] = [];
  readonly #port: number;
  readonly #options: LoadOptions;
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #startedAtMs = performance.now();
  readonly #waiting = new Set<() => void>();
  #begun = 0;
  #timer: NodeJS.Timeout;

  constructor(port: number, options: LoadOptions) {
    this.#port = port;
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get nowMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  /** Resolves when so many more have been answered. */
  async answered(more: number): Promise<void> {
    const count = this.sent.length + more;
    while (this.sent.length < count) await new Promise<void>(resolve => this.#waiting.add(resolve));
  }
  /** Resolves when an answer, from now on, is like this. */
  async until(like: (sent: Sent) => boolean): Promise<Sent> {
    for (let at = this.sent.length; ; ) {
      const found = this.sent.slice(at).find(like);
      if (found !== undefined) return found;
      at = this.sent.length;
      await new Promise<void>(resolve => this.#waiting.add(resolve));
    }
  }

  /** Begins no more, and resolves to all, when the last answer is there. */
  async stop(): Promise<readonly Sent[]> {
    clearInterval(this.#timer);
    while (this.sent.length < this.#begun) await new Promise<void>(resolve => this.#waiting.add(resolve));
    this.#agent.destroy();
    return this.sent;
  }

  #tick(): void {
    const due = Math.floor((this.nowMs * this.#options.perSecond) / 1_000);
    while (this.#begun < due) this.#send(this.#begun++);
  }

  #send(number: number): void {
    const { postEach = 0 } = this.#options;
    const method = postEach > 0 && number % postEach === 0 ? 'POST' : 'GET';
    const id = `${method}-${number}`;
    const atMs = this.nowMs;
    const end = (status: number, text: string) => {
      this.sent.push({ id, atMs, tookMs: this.nowMs - atMs, status, text, method });
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const wake of waiting) wake();
    };
    const request = http.request({
      host: '127.0.0.1',
      port: this.#port,
      path: '/',
      method,
      agent: this.#agent,
      headers: { 'x-id': id, accept: 'application/json' },
    });
    request.on('error', error => end(0, 'code' in error ? String(error.code) : error.message));
    request.on('response', response => {
      let text = '';
      response.on('data', chunk => {
        text += chunk;
      });
      response.on('end', () => end(response.statusCode ?? 0, text));
      response.on('error', () => end(0, 'cut'));
    });
    request.end(method === 'POST' ? 'body' : undefined);
  }
}
