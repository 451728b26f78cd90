/**
 * A store of rate limits that several machines share: Redis or Valkey.
 *
 *   connecting ──(logged in, the script has run)──> ready
 *       ^    └──(failed)──> lost <──(connection gone, or nothing but timeouts)──┘
 *       └──(after a pause that grows)──┘
 *
 * Every question has a timeout. While the store is lost, questions fail at once. Before the first connection is ready they
 * wait for it, within the same timeout, so that the first requests after a start are counted too. All questions share one
 * connection, pipelined; the number that may wait is bounded.
 *
 * Ready means that the script has run once, with its own key: a server that cannot be written to (a replica, out of memory,
 * no permission) is lost, not ready.
 */
import { createHash } from 'node:crypto';
import type { RedisConnection, RedisObserver, RedisTarget } from '../net/redis_connection.ts';
import type { Reply } from '../net/redis_reply.ts';
import { backoffMs } from '../resilience/backoff.ts';
import type { Clock, Timer } from '../resilience/clock.ts';
import type { Random } from '../resilience/random.ts';
import {
  LIMIT_SCRIPT,
  type LimitAnswer,
  type LimitQuestion,
  questionWords,
  readAnswers,
} from './limit_script.ts';

export interface LimitStoreSettings extends RedisTarget {
  readonly name: string;
  /** What happens to requests while the store cannot be asked. */
  readonly onError: 'allow' | 'deny';
  /** Maximum time from a question to its answer. */
  readonly timeoutMs: number;
  /** Maximum of questions that wait for their answers at the same time. */
  readonly inFlightMax: number;
  /** Prefix of every key in the store. */
  readonly keyPrefix: string;
}

/** Why a question has no answer; also a metric label. */
export const STORE_FAILURES = ['unavailable', 'timeout', 'busy', 'error'] as const;
type StoreFailure = (typeof STORE_FAILURES)[number];

export type StoreAnswer =
  | { readonly kind: 'answered'; readonly answers: readonly LimitAnswer[] }
  | { readonly kind: 'failed'; readonly cause: StoreFailure };

type StoreState = 'connecting' | 'ready' | 'lost' | 'closed';

interface StoreObserver {
  /** The store was lost, or is ready again (`why` null). Called for changes, not for every question. */
  onChange(why: string | null): void;
  onAnswer(tookMs: number): void;
  onFailure(cause: StoreFailure): void;
}

type OpenStore = (target: RedisTarget, clock: Clock, observer: RedisObserver) => RedisConnection;

/** Pauses between two attempts to connect. */
const RECONNECT = { baseMs: 100, maxMs: 5_000 };
const RECONNECT_MS_MIN = 100;
/** After this many timeouts in a row the store is considered to hang. */
const TIMEOUTS_MAX = 3;
/** The script is tried with this question when a connection opens. Its key expires after a millisecond. */
const PROBE: LimitQuestion = { key: 'probe', intervalMs: 1, burst: 1, enforce: false };
const LIMIT_SCRIPT_SHA1 = createHash('sha1').update(LIMIT_SCRIPT).digest('hex');

interface Waiting {
  readonly questions: readonly LimitQuestion[];
  readonly startedAtMs: number;
  readonly timer: Timer;
  /** Null: the answer is not wanted any more; the reply is still to come. */
  onAnswer: ((answer: StoreAnswer) => void) | null;
}

/** What a reply belongs to. */
type Expected =
  | { readonly kind: 'login' }
  | { readonly kind: 'probe' }
  | { readonly kind: 'question'; readonly waiting: Waiting };

export class LimitStore {
  readonly settings: LimitStoreSettings;
  readonly #open: OpenStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #observer: StoreObserver;
  #connection: RedisConnection | null = null;
  #state: StoreState = 'connecting';
  #stateChangedAtMs: number;
  #lastError: string | null = null;
  #attempts = 0;
  #timer: Timer | null = null;
  #timeouts = 0;
  /** Questions from before the first connection was ready, not sent yet. */
  #early: Waiting[] = [];
  /** Replies to come, in the order of the commands. */
  #expected: Expected[] = [];

  constructor(
    settings: LimitStoreSettings,
    open: OpenStore,
    clock: Clock,
    random: Random,
    observer: StoreObserver,
  ) {
    this.settings = settings;
    this.#open = open;
    this.#clock = clock;
    this.#random = random;
    this.#observer = observer;
    this.#stateChangedAtMs = clock.nowMs();
    this.#connect();
  }

  get state(): StoreState {
    return this.#state;
  }
  get stateChangedAtMs(): number {
    return this.#stateChangedAtMs;
  }
  /** The last error; null: none yet. */
  get lastError(): string | null {
    return this.#lastError;
  }
  get inFlight(): number {
    return this.#early.length + this.#expected.length;
  }

  /** Calls back once, possibly synchronously. The returned function cancels the question: there is no callback after it. */
  ask(questions: readonly LimitQuestion[], onAnswer: (answer: StoreAnswer) => void): () => void {
    if (this.#state === 'lost' || this.#state === 'closed') return this.#refuse('unavailable', onAnswer);
    if (this.inFlight >= this.settings.inFlightMax) return this.#refuse('busy', onAnswer);
    const waiting: Waiting = {
      questions,
      startedAtMs: this.#clock.nowMs(),
      timer: this.#clock.setTimer(expire, this.settings.timeoutMs, () => this.#onTimeout(waiting)),
      onAnswer,
    };
    if (this.#state === 'ready') this.#send(waiting, false);
    else this.#early.push(waiting);
    return () => {
      waiting.onAnswer = null; // the timer stays, so that a store that hangs is noticed even if all clients leave
    };
  }

  /** No plan needs it any more: questions in progress still get their answers in time, then the connection closes. */
  dispose(): void {
    if (this.#state === 'closed') return;
    this.#become('closed');
    this.#clock.cancelTimer(this.#timer);
    if (!this.#isAwaited) this.#close();
  }

  get #isAwaited(): boolean {
    return this.#expected.some(one => one.kind === 'question' && one.waiting.onAnswer !== null);
  }

  #refuse(cause: StoreFailure, onAnswer: (answer: StoreAnswer) => void): () => void {
    this.#observer.onFailure(cause);
    onAnswer({ kind: 'failed', cause });
    return nothing;
  }

  // ---- the connection

  #connect(): void {
    this.#connection = this.#open(this.settings, this.#clock, {
      onOpen: loginReplies => this.#onOpen(loginReplies),
      onReply: reply => this.#onReply(reply),
      onEnd: why => this.#onLost(why),
    });
  }

  #onOpen(loginReplies: number): void {
    for (let count = 0; count < loginReplies; count++) this.#expected.push({ kind: 'login' });
    this.#expected.push({ kind: 'probe' });
    this.#connection?.send(['EVAL', LIMIT_SCRIPT, ...questionWords([PROBE], this.settings.keyPrefix)]);
    // A server too slow for this is too slow for requests; it must not become ready and then lost again at once.
    const { timeoutMs } = this.settings;
    this.#timer = this.#clock.setTimer(expire, timeoutMs, () =>
      this.#drop(`no reply within ${timeoutMs} ms`),
    );
  }

  #onReply(reply: Reply): void {
    const expected = this.#expected.shift();
    const error = errorOf(reply);
    if (expected === undefined) this.#drop('it replied to nothing');
    else if (expected.kind === 'question') this.#onQuestionReply(expected.waiting, reply);
    else if (error !== null) this.#drop(error);
    else if (expected.kind === 'probe') this.#onProbed();
    if (this.#state === 'closed' && !this.#isAwaited) this.#close();
  }

  #onProbed(): void {
    this.#clock.cancelTimer(this.#timer);
    if (this.#state === 'closed') return;
    const wasLost = this.#state === 'lost';
    this.#become('ready');
    if (wasLost) this.#observer.onChange(null);
    const early = this.#early;
    this.#early = [];
    for (const waiting of early) if (waiting.onAnswer !== null) this.#send(waiting, false);
  }

  /** Closes a connection that is open but useless. */
  #drop(why: string): void {
    this.#connection?.close();
    this.#onLost(why);
  }

  #onLost(why: string): void {
    const waiting = [
      ...this.#early,
      ...this.#expected.flatMap(one => (one.kind === 'question' ? [one.waiting] : [])),
    ];
    this.#early = [];
    this.#expected = [];
    this.#timeouts = 0;
    this.#connection = null;
    this.#clock.cancelTimer(this.#timer);
    const isNews = this.#state === 'ready' || this.#state === 'connecting';
    if (this.#state !== 'closed') {
      this.#lastError = why;
      this.#attempts++;
      const pauseMs = RECONNECT_MS_MIN + backoffMs(this.#attempts, RECONNECT, this.#random);
      this.#timer = this.#clock.setTimer(expire, pauseMs, () => this.#connect());
      if (isNews) this.#become('lost');
    }
    for (const one of waiting) this.#fail(one, 'unavailable');
    if (isNews) this.#observer.onChange(why);
  }

  #close(): void {
    this.#clock.cancelTimer(this.#timer);
    this.#connection?.close();
    this.#onLost('closed');
  }

  #become(state: StoreState): void {
    if (state !== this.#state) this.#stateChangedAtMs = this.#clock.nowMs();
    this.#state = state;
  }

  // ---- one question

  /** `whole`: sends the whole script, because the server has forgotten it (SCRIPT FLUSH, a failover). */
  #send(waiting: Waiting, whole: boolean): void {
    const words = questionWords(waiting.questions, this.settings.keyPrefix);
    this.#expected.push({ kind: 'question', waiting });
    this.#connection?.send(
      whole ? ['EVAL', LIMIT_SCRIPT, ...words] : ['EVALSHA', LIMIT_SCRIPT_SHA1, ...words],
    );
  }

  #onQuestionReply(waiting: Waiting, reply: Reply): void {
    if (errorOf(reply)?.startsWith('NOSCRIPT') === true) {
      this.#send(waiting, true); // even if nobody waits: then the server has the script again
      return;
    }
    const answers = readAnswers(reply, waiting.questions.length);
    if (answers !== null) this.#settle(waiting, answers);
    else {
      // Whatever the error is (a replica, out of memory, a cluster), the next question would get the same: reconnect.
      this.#fail(waiting, 'error');
      this.#drop(errorOf(reply) ?? 'its reply is not one of the script');
    }
  }

  #settle(waiting: Waiting, answers: readonly LimitAnswer[]): void {
    const { onAnswer, timer, startedAtMs } = waiting;
    this.#clock.cancelTimer(timer);
    const tookMs = this.#clock.nowMs() - startedAtMs;
    if (tookMs < this.settings.timeoutMs) {
      this.#timeouts = 0;
      this.#attempts = 0;
    }
    if (onAnswer === null) return;
    waiting.onAnswer = null;
    this.#observer.onAnswer(tookMs);
    onAnswer({ kind: 'answered', answers });
  }

  #fail(waiting: Waiting, cause: StoreFailure): void {
    const { onAnswer, timer } = waiting;
    this.#clock.cancelTimer(timer);
    if (onAnswer === null) return;
    waiting.onAnswer = null;
    this.#observer.onFailure(cause);
    onAnswer({ kind: 'failed', cause });
  }

  /** The reply may still come later; it is then ignored. */
  #onTimeout(waiting: Waiting): void {
    this.#fail(waiting, 'timeout');
    this.#early = this.#early.filter(one => one !== waiting);
    this.#timeouts++;
    if (this.#state === 'ready' && this.#timeouts >= TIMEOUTS_MAX)
      this.#drop(`${TIMEOUTS_MAX} requests in a row got no reply within ${this.settings.timeoutMs} ms`);
    else if (this.#state === 'closed' && !this.#isAwaited) this.#close();
  }
}

function expire(act: () => void): void {
  act();
}

function errorOf(reply: Reply): string | null {
  return typeof reply === 'object' && reply !== null && 'error' in reply ? reply.error : null;
}

function nothing(): void {}
