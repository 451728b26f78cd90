/**
 * Asks for a page again and again, some milliseconds after each answer, and remembers the longest time without one: how long the
 * event loop of the server was busy with something else.
 */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export class Pulse {
  answered = 0;
  /** Status and text of what was not a 200, or the code of the error. */
  readonly failures: string[] = [];
  #longestMs = 0;
  #isStopping = false;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  readonly #ended: Promise<void>;

  constructor(port: number, path: string, pauseMs = 2) {
    this.#ended = this.#run(port, path, pauseMs);
  }

  /** The longest time from a request to the end of its answer since the last call. */
  takeLongestMs(): number {
    const longest = this.#longestMs;
    this.#longestMs = 0;
    return longest;
  }
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#ended;
    this.#agent.destroy();
  }

  async #run(port: number, path: string, pauseMs: number): Promise<void> {
    while (!this.#isStopping) {
      const sentAtMs = performance.now();
      const what = await this.#ask(port, path);
      this.#longestMs = Math.max(this.#longestMs, performance.now() - sentAtMs);
      if (what === '200') this.answered++;
      else this.failures.push(what);
      await sleep(pauseMs);
    }
  }

  #ask(port: number, path: string): Promise<string> {
    return new Promise(resolve => {
      const request = http.get({ host: '127.0.0.1', port, path, agent: this.#agent }, response => {
        response.resume();
        response.on('end', () => resolve(String(response.statusCode)));
        response.on('error', () => resolve('cut'));
      });
      request.on('error', error => resolve('code' in error ? String(error.code) : error.message));
    });
  }
}
