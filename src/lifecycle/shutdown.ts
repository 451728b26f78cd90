/**
 * The end of the process, read top to bottom:
 *
 *   serving → lame_duck → draining → forcing → stopped
 *
 * lame_duck: readiness fails and responses close their connections, while new requests are still served for `drain.delay`,
 * so that load balancers notice first. draining: nothing new is accepted; over as soon as the last request is. forcing: at
 * `drain.timeout` or on a second signal, what is left fails with `shutting_down` and is cut.
 */

import type { Clock } from '../resilience/clock.ts';

export type ProcessPhase = 'starting' | 'serving' | 'lame_duck' | 'draining' | 'forcing' | 'stopped';

/** Forced: requests were cut, because the time was over or a second signal came. */
export type DrainResult = 'clean' | 'forced';

/** The progress of a shutdown that has begun. */
export interface DrainProgress {
  /** Who asked for it last. */
  readonly cause: string;
  /** When the remaining requests are cut; monotonic milliseconds. */
  readonly deadlineAtMs: number;
}

interface DrainSettings {
  readonly delayMs: number;
  readonly timeoutMs: number;
}

/** The steps of a shutdown; each is called once, in this order. */
export interface Drainable {
  /** `cause` null: the phase is the next one in order. */
  enterPhase(phase: ProcessPhase, cause: string | null): void;
  /** Readiness fails, and responses close their connections. */
  announce(): void;
  stopAccepting(): Promise<void>;
  closeIdleConnections(): void;
  /** Resolves when nothing is in flight. */
  idle(): Promise<void>;
  /** Fails or cuts everything that is left. */
  abortRequests(): void;
  /** Closes pools, probers, logs, and the admin API, which reports the result to those who watch. */
  release(result: DrainResult): Promise<void>;
}

/** Time for the last responses and log lines to be sent. */
const LAST_WORDS_MS = 1_000;

export class Shutdown {
  readonly #target: Drainable;
  readonly #clock: Clock;
  #force: ((cause: string) => void) | null = null;
  #done: Promise<DrainResult> | null = null;
  #progress: DrainProgress | null = null;

  constructor(target: Drainable, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  /** Null: no shutdown has begun. */
  get progress(): DrainProgress | null {
    return this.#progress;
  }

  /** Begins the shutdown, or speeds up one in progress; `cause` says who asked for it. Resolves at the end. */
  begin(settings: DrainSettings, cause: string): Promise<DrainResult> {
    if (this.#done === null) this.#done = this.#run(settings, cause);
    else this.#force?.(`${cause}, requested again`);
    return this.#done;
  }

  async #run(settings: DrainSettings, cause: string): Promise<DrainResult> {
    const target = this.#target;
    const { promise: hurried, resolve } = Promise.withResolvers<string>();
    this.#force = resolve;
    const { delayMs, timeoutMs } = settings;
    this.#progress = { cause, deadlineAtMs: this.#clock.nowMs() + delayMs + timeoutMs };
    target.enterPhase('lame_duck', cause);
    target.announce();
    if (delayMs > 0) await this.#within(delayMs, hurried);

    target.enterPhase('draining', null);
    await target.stopAccepting();
    target.closeIdleConnections();
    this.#progress = { cause, deadlineAtMs: this.#clock.nowMs() + timeoutMs };
    const forcedBy = await this.#within(timeoutMs, hurried, target.idle());

    if (forcedBy !== null) {
      this.#progress = { cause: forcedBy, deadlineAtMs: this.#clock.nowMs() };
      target.enterPhase('forcing', forcedBy);
      target.abortRequests();
      await this.#within(LAST_WORDS_MS, new Promise(() => {}), target.idle());
    }
    const result = forcedBy === null ? 'clean' : 'forced';
    await target.release(result);
    target.enterPhase('stopped', null);
    return result;
  }

  /**
   * Resolves with the reason for not waiting any longer, or null when `end` comes first. Without an `end` it waits
   * for the whole time.
   */
  async #within(limitMs: number, hurried: Promise<string>, end?: Promise<void>): Promise<string | null> {
    const { promise: overdue, resolve } = Promise.withResolvers<string>();
    const timer = this.#clock.setTimer(resolve, limitMs, `process.drain.timeout (${limitMs} ms) expired`);
    const outcome = await Promise.race([
      overdue,
      hurried,
      ...(end === undefined ? [] : [end.then(() => null)]),
    ]);
    this.#clock.cancelTimer(timer);
    return outcome;
  }
}
