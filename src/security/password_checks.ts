/**
 * Checks passwords outside the event loop and with bounds, so that a flood of logins cannot bring the process down:
 *
 *   known to be right or wrong ── answered at once
 *   already being checked ─────── one check answers all who ask
 *   otherwise ─────────────────── queued for the one thread that checks; queue full or wait too long: overloaded
 *
 * Right passwords are remembered while they are used, wrong ones for a short time. Only hashes with a random key of this
 * process are kept, never a password. A changed hash in the file makes a new question.
 *
 * A client can take only a part of the queue, and clients take turns: a client that sends many logins delays only itself.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock, Timer } from '../resilience/clock.ts';

export interface PasswordQuestion {
  readonly name: string;
  readonly password: string;
  readonly passwordHash: string;
  /** The user is unknown: the check does the same work, and its result is always wrong. */
  readonly isDecoy: boolean;
  /** Key of the client, for its part of the queue. */
  readonly client: string;
}

export type PasswordVerdict = 'right' | 'wrong' | 'overloaded' | 'failed';

/** The thread; it answers one question at a time. */
interface PasswordWorker {
  ask(passwordHash: string, password: string): void;
  close(): void;
}

export type StartPasswordWorker = (
  onAnswer: (isRight: boolean) => void,
  /** The thread has ended and answers nothing more. */
  onDeath: () => void,
) => PasswordWorker;

const RIGHT_MAX = 4_096;
/** How long a right password is remembered after its last use. */
const RIGHT_MS = 600_000;
const WRONG_MAX = 4_096;
const WRONG_MS = 10_000;
const QUEUE_MAX = 64;
const QUEUE_PER_CLIENT_MAX = 8;
const QUEUE_MS_MAX = 5_000;

interface Check {
  readonly id: string;
  readonly question: PasswordQuestion;
  readonly timer: Timer;
  readonly waiting: Set<(verdict: PasswordVerdict) => void>;
}

export class PasswordChecks {
  readonly #startWorker: StartPasswordWorker;
  readonly #clock: Clock;
  readonly #key = randomBytes(32);
  /** End of validity by keyed hash, the least recently used first. */
  readonly #right = new Map<string, number>();
  readonly #wrong = new Map<string, number>();
  readonly #queue = new Map<string, Check>();
  /** Queued checks by client: clients in the order of their turns, the checks of each in order of arrival. */
  readonly #turns = new Map<string, Set<Check>>();
  #current: Check | null = null;
  #worker: PasswordWorker | null = null;

  constructor(startWorker: StartPasswordWorker, clock: Clock) {
    this.#startWorker = startWorker;
    this.#clock = clock;
  }

  /** Number of checks that wait for the thread. */
  get queueDepth(): number {
    return this.#queue.size;
  }

  /** Calls back once, possibly synchronously. The returned function cancels the question: there is no callback after it. */
  check(question: PasswordQuestion, onVerdict: (verdict: PasswordVerdict) => void): () => void {
    const id = this.#idOf(question);
    const known = this.#known(id);
    if (known !== null) return answerNow(onVerdict, known);
    const check =
      this.#current?.id === id ? this.#current : (this.#queue.get(id) ?? this.#enqueue(id, question));
    if (check === null) return answerNow(onVerdict, 'overloaded');
    check.waiting.add(onVerdict);
    this.#next();
    return () => {
      check.waiting.delete(onVerdict);
      if (check.waiting.size === 0 && this.#unqueue(check)) this.#clock.cancelTimer(check.timer);
    };
  }

  dispose(): void {
    for (const check of [...this.#queue.values()]) {
      this.#unqueue(check);
      this.#settle(check, 'overloaded');
    }
    this.#endWorker();
  }

  #idOf({ name, password, passwordHash, isDecoy }: PasswordQuestion): string {
    const text = JSON.stringify([name, password, passwordHash, isDecoy]);
    return createHmac('sha256', this.#key).update(text).digest('base64');
  }

  #known(id: string): 'right' | 'wrong' | null {
    const nowMs = this.#clock.nowMs();
    if ((this.#right.get(id) ?? 0) > nowMs) {
      remember(this.#right, id, nowMs + RIGHT_MS, RIGHT_MAX);
      return 'right';
    }
    return (this.#wrong.get(id) ?? 0) > nowMs ? 'wrong' : null;
  }

  #enqueue(id: string, question: PasswordQuestion): Check | null {
    if (this.#queue.size >= QUEUE_MAX) return null;
    const ofClient = this.#turns.get(question.client) ?? new Set();
    if (ofClient.size >= QUEUE_PER_CLIENT_MAX) return null;
    const check: Check = {
      id,
      question,
      waiting: new Set(),
      timer: this.#clock.setTimer(expire, QUEUE_MS_MAX, () => {
        this.#unqueue(check);
        this.#settle(check, 'overloaded');
      }),
    };
    this.#queue.set(id, check);
    this.#turns.set(question.client, ofClient.add(check));
    return check;
  }

  /** Returns false if the check is not in the queue. */
  #unqueue(check: Check): boolean {
    const { client } = check.question;
    const ofClient = this.#turns.get(client);
    ofClient?.delete(check);
    if (ofClient?.size === 0) this.#turns.delete(client);
    return this.#queue.delete(check.id);
  }

  #next(): void {
    if (this.#current !== null) return;
    const [turn] = this.#turns;
    if (turn === undefined) return;
    const [client, ofClient] = turn;
    const [check] = ofClient;
    if (check === undefined) throw new Error('only clients with a check in the queue have a turn');
    this.#turns.delete(client);
    if (ofClient.size > 1) this.#turns.set(client, ofClient); // behind the others
    this.#unqueue(check);
    this.#clock.cancelTimer(check.timer);
    this.#current = check;
    this.#worker ??= this.#startWorker(
      isRight => this.#onAnswer(isRight),
      () => this.#onDeath(),
    );
    this.#worker.ask(check.question.passwordHash, check.question.password);
  }

  #onAnswer(isRight: boolean): void {
    const check = this.#current;
    if (check === null) return;
    this.#current = null;
    const verdict = isRight && !check.question.isDecoy ? 'right' : 'wrong';
    const nowMs = this.#clock.nowMs();
    if (verdict === 'right') remember(this.#right, check.id, nowMs + RIGHT_MS, RIGHT_MAX);
    else remember(this.#wrong, check.id, nowMs + WRONG_MS, WRONG_MAX);
    this.#next(); // first the next check, so that the thread is not idle
    this.#settle(check, verdict);
  }

  /** The next check starts a new thread. */
  #onDeath(): void {
    this.#worker = null;
    const check = this.#current;
    this.#current = null;
    if (check !== null) this.#settle(check, 'failed');
    this.#next();
  }

  #endWorker(): void {
    const check = this.#current;
    this.#current = null;
    this.#worker?.close();
    this.#worker = null;
    if (check !== null) this.#settle(check, 'overloaded');
  }

  #settle(check: Check, verdict: PasswordVerdict): void {
    this.#clock.cancelTimer(check.timer);
    const waiting = [...check.waiting];
    check.waiting.clear();
    for (const onVerdict of waiting) onVerdict(verdict);
  }
}

/** Moves the entry to the end; above `entriesMax` the least recently used one is dropped. */
function remember(known: Map<string, number>, id: string, untilMs: number, entriesMax: number): void {
  known.delete(id);
  known.set(id, untilMs);
  if (known.size <= entriesMax) return;
  const [oldest] = known.keys();
  if (oldest !== undefined) known.delete(oldest);
}

function answerNow(onVerdict: (verdict: PasswordVerdict) => void, verdict: PasswordVerdict): () => void {
  onVerdict(verdict);
  return nothing;
}

function expire(act: () => void): void {
  act();
}

function nothing(): void {}
