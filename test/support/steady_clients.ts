/**
 * Clients whom a restart must not trouble: some keep their connection, some open a new one for each request. Each sends its
 * next request a moment after the answer to the last one: a slow machine has less load, not a longer queue.
 */
import http from 'node:http';

const CLIENTS_OF_EACH_KIND = 4;
const PAUSE_MS = 20;
/** Requests of each client that `goOn` waits for. */
const BETWEEN = 10;

class SteadyClient {
  readonly #port: number;
  readonly #agent: http.Agent;
  readonly #onFailure: (what: string) => void;
  #isStopping = false;
  #wake: () => void = () => {};
  readonly ended: Promise<void>;
  count = 0;

  constructor(port: number, keepAlive: boolean, onFailure: (what: string) => void) {
    this.#port = port;
    this.#agent = new http.Agent({ keepAlive, maxSockets: 1 });
    this.#onFailure = onFailure;
    this.ended = this.#run();
  }
  async goOn(): Promise<void> {
    const until = this.count + BETWEEN;
    while (this.count < until)
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
  }
  stop(): Promise<void> {
    this.#isStopping = true;
    return this.ended;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const what = await this.#ask();
      if (what !== '200') this.#onFailure(what);
      this.count++;
      this.#wake();
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
    }
    this.#agent.destroy();
  }

  /** The status, or why there is none. */
  #ask(): Promise<string> {
    return new Promise(resolve => {
      const request = http.get({ host: '127.0.0.1', port: this.#port, path: '/', agent: this.#agent });
      request.on('error', error => resolve('code' in error ? String(error.code) : error.message));
      request.on('response', response => {
        response.resume();
        response.on('end', () => resolve(String(response.statusCode)));
        response.on('error', () => resolve('cut'));
      });
    });
  }
}

export class SteadyClients {
  readonly #clients: readonly SteadyClient[];
  readonly #failures: Record<string, number> = {};

  constructor(port: number) {
    const fail = (what: string) => {
      this.#failures[what] = (this.#failures[what] ?? 0) + 1;
    };
    this.#clients = [true, false].flatMap(keepAlive =>
      Array.from({ length: CLIENTS_OF_EACH_KIND }, () => new SteadyClient(port, keepAlive, fail)),
    );
  }
  /** Until each has had some more answers. */
  async goOn(): Promise<void> {
    await Promise.all(this.#clients.map(client => client.goOn()));
  }
  /** What was refused, reset, cut, or answered with another status than 200, counted by kind. */
  async stop(): Promise<{ readonly answered: number; readonly failures: Readonly<Record<string, number>> }> {
    await Promise.all(this.#clients.map(client => client.stop()));
    return { answered: this.#clients.reduce((sum, { count }) => sum + count, 0), failures: this.#failures };
  }
}

/** Clients with kept connections hear `Connection: close` in this time, because each sends far more often. */
export const DRAIN_IN_STEPS = { drain: { delay: '2s', timeout: '60s' } };
