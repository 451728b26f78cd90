/**
 * Checks of passwords, off the event loop and bounded, so that logins are no lever to bring the process down:
 *
 *   known to be right or wrong ── at once
 *   being checked already ─────── the same answer for all who ask
 *   otherwise ─────────────────── in a queue for the one thread that checks; full, or too long: overloaded
 *
 * What was right is remembered while it is used, and what was wrong for a moment, under a keyed hash: not the password, and
 * nothing that a copy of the memory of another process could be compared with. A new hash in the file is another question.
 *
 * One client has at most a part of the queue, and clients take turns: whoever hammers waits behind himself.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock, Timer } from '../resilience/clock.ts';

export interface PasswordQuestion {
  readonly name: string;
  readonly password: string;
  readonly passwordHash: string;
  /** The name is unknown: the same work, and always wrong. */
  readonly isDecoy: boolean;
  /** What shares a part of the queue. */
  readonly client: string;
}

export type PasswordVerdict = 'right' | 'wrong' | 'overloaded' | 'failed';

/** The thread. Answers one question at a time. */
interface PasswordWorker {
  ask(passwordHash: string, password: string): void;
  close(): void;
}

export type StartPasswordWorker = (
  onAnswer: (isRight: boolean) => void,
  /** It has died, and answers nothing more. */
  onDeath: () => void,
) => PasswordWorker;

const RIGHT_MAX = 4_096;
/** Since it was last used. */
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
  /** By keyed hash, when it ends; the one that was used last comes last. */
  readonly #right = new Map<string, number>();
  readonly #wrong = new Map<string, number>();
  readonly #queue = new Map<string, Check>();
  /** Who has checks in the queue, in the order of their turns; those of each in the order in which they came. */
  readonly #turns = new Map<string, Set<Check>>();
  #current: Check | null = null;
  #worker: PasswordWorker | null = null;

  constructor(startWorker: StartPasswordWorker, clock: Clock) {
    this.#startWorker = startWorker;
    this.#clock = clock;
  }

  /** Checks that wait for the thread. */
  get queueDepth(): number {
    return this.#queue.size;
  }

  /** Calls back once, perhaps in the same turn. The function it returns gives up: nobody is called then. */
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

  /** False: it is not in the queue. */
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
    if (check === undefined) throw new Error('who has no check in the queue has no turn');
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
    this.#next(); // before those who wait are told: the thread shall not stand idle
    this.#settle(check, verdict);
  }

  /** The next question gets another one. */
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

/** Puts it behind all others; the one that was used least recently goes. */
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
