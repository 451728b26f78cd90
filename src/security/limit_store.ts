/**
 * A store of rate limits that several machines share: Redis or Valkey.
 *
 *   connecting ──(logged in, the script has run)──> ready
 *       ^    └──(failed)──> lost <──(connection gone, or nothing but timeouts)──┘
 *       └──(after a pause that grows)──┘
 *
 * A question has a limit in time. While the store is lost questions fail at once; before it was reached for the first time
 * they wait for it, within the same limit, so that the first requests after a start are counted too. Questions and the script
 * go over one connection, pipelined; how many may wait is bounded.
 *
 * Ready means that the script has run with a key of its own: a server that may not be written to (a replica, no memory left,
 * no rights) is lost, not ready.
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
  /** What becomes of a request whose limits the store cannot be asked for. */
  readonly onError: 'allow' | 'deny';
  /** From the question to its answer. */
  readonly timeoutMs: number;
  /** Questions that may wait for their answers at once. */
  readonly inFlightMax: number;
  /** Before each key in the store. */
  readonly keyPrefix: string;
}

/** Why a question has no answer; also the label of a metric. */
export const STORE_FAILURES = ['unavailable', 'timeout', 'busy', 'error'] as const;
type StoreFailure = (typeof STORE_FAILURES)[number];

export type StoreAnswer =
  | { readonly kind: 'answered'; readonly answers: readonly LimitAnswer[] }
  | { readonly kind: 'failed'; readonly cause: StoreFailure };

type StoreState = 'connecting' | 'ready' | 'lost' | 'closed';

/** Who is told what becomes of the store. */
interface StoreObserver {
  /** `why` null: it is there again. Said when that changes, not for each question. */
  onChange(why: string | null): void;
  onAnswer(tookMs: number): void;
  onFailure(cause: StoreFailure): void;
}

type OpenStore = (target: RedisTarget, clock: Clock, observer: RedisObserver) => RedisConnection;

/** Between two attempts to reach it. */
const RECONNECT = { baseMs: 100, maxMs: 5_000 };
const RECONNECT_MS_MIN = 100;
/** So many in a row, and nothing came between: it hangs. */
const TIMEOUTS_MAX = 3;
/** The script is tried with this when the connection opens. It is over after a millisecond. */
const PROBE: LimitQuestion = { key: 'probe', intervalMs: 1, burst: 1, enforce: false };
const LIMIT_SCRIPT_SHA1 = createHash('sha1').update(LIMIT_SCRIPT).digest('hex');

interface Waiting {
  readonly questions: readonly LimitQuestion[];
  readonly startedAtMs: number;
  readonly timer: Timer;
  /** Null: nobody waits for the answer any more; the reply is still to come. */
  onAnswer: ((answer: StoreAnswer) => void) | null;
}

/** What the next reply is for. */
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
  #sinceMs: number;
  #lastError: string | null = null;
  #attempts = 0;
  #timer: Timer | null = null;
  #timeouts = 0;
  /** Before the first connection is ready: not sent yet. */
  #early: Waiting[] = [];
  /** In the order of the commands. */
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
    this.#sinceMs = clock.nowMs();
    this.#connect();
  }

  get state(): StoreState {
    return this.#state;
  }
  get stateSinceMs(): number {
    return this.#sinceMs;
  }
  /** The last thing that went wrong; null: nothing yet. */
  get lastError(): string | null {
    return this.#lastError;
  }
  get inFlight(): number {
    return this.#early.length + this.#expected.length;
  }

  /** Calls back once, perhaps in the same turn. The function it returns gives up: nobody is called then. */
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
      waiting.onAnswer = null; // its timer stays: a store that hangs is noticed also when all clients have left
    };
  }

  /** Not wanted any more: what was asked is answered if that is in time, and then the connection closes. */
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
    // Who is too slow for this is too slow for requests: it must not count as ready now and as lost a moment later.
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

  /** It is there, and of no use. */
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
    if (state !== this.#state) this.#sinceMs = this.#clock.nowMs();
    this.#state = state;
  }

  // ---- one question

  /** The whole script only where the server has forgotten it (SCRIPT FLUSH, a failover). */
  #send(waiting: Waiting, whole: boolean): void {
    const words = questionWords(waiting.questions, this.settings.keyPrefix);
    this.#expected.push({ kind: 'question', waiting });
    this.#connection?.send(
      whole ? ['EVAL', LIMIT_SCRIPT, ...words] : ['EVALSHA', LIMIT_SCRIPT_SHA1, ...words],
    );
  }

  #onQuestionReply(waiting: Waiting, reply: Reply): void {
    if (errorOf(reply)?.startsWith('NOSCRIPT') === true) {
      this.#send(waiting, true); // also for nobody: from then on the server has it
      return;
    }
    const answers = readAnswers(reply, waiting.questions.length);
    if (answers !== null) this.#settle(waiting, answers);
    else {
      // Whatever it is (a replica, no memory, a cluster), the next question would get the same: try again from the start.
      this.#fail(waiting, 'error');
      this.#drop(errorOf(reply) ?? 'it replied something else than the script does');
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

  /** Its reply may still come, and is then for nobody. */
  #onTimeout(waiting: Waiting): void {
    this.#fail(waiting, 'timeout');
    this.#early = this.#early.filter(one => one !== waiting);
    this.#timeouts++;
    if (this.#state === 'ready' && this.#timeouts >= TIMEOUTS_MAX)
      this.#drop(`${TIMEOUTS_MAX} questions in a row had no reply within ${this.settings.timeoutMs} ms`);
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
