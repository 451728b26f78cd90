/**
 * Decision records of recent requests: all failures, a sample of the successes, and requests whose client asked for a
 * record. Rings of fixed length, so the oldest record is dropped first.
 *
 * A record is a copy of plain facts, because the request itself holds sockets and a whole plan. Why more specific routes did
 * not match is computed on demand (`admin/decision_view.ts`) from the head, which is kept if it is small.
 */
import {
  detailOf,
  FAILURE_RULES,
  type Failure,
  type FailureKind,
  isFailure,
  wentWell,
} from '../resilience/failure.ts';
import type { ClientSource } from '../security/client_address.ts';
import type { RequestHead } from '../security/request_head.ts';
import { overheadMs } from './access_log.ts';
import type { AskedLimit, AttemptRecord, FiredTimeout, RequestRecord } from './events.ts';

/** Facts that are not in the log record; collected only when a decision record is made. */
export interface DecisionFacts {
  readonly peerTrusted: boolean;
  /** Who says who the client is. */
  readonly clientSource: ClientSource;
  /** Of the connection: by the PROXY protocol where that is required, else by the socket. */
  readonly connectionIp: string;
  readonly policy: string | null;
  readonly rateLimits: readonly AskedLimit[];
  /** For routing; null if it is too large to keep or was refused. */
  readonly head: RequestHead | null;
}

interface AttemptDecision {
  readonly endpoint: string;
  /** From the beginning of the request. */
  readonly startMs: number;
  readonly connectMs: number | null;
  readonly firstByteMs: number | null;
  readonly ms: number;
  readonly status: number | null;
  readonly reason: FailureKind | null;
  /** The measured detail, where the reason does not say everything. */
  readonly detail: string | null;
  readonly reused: boolean;
}

export interface Decision {
  readonly id: string;
  readonly time: string;
  readonly traceId: string | null;
  readonly listener: string;
  readonly client: {
    readonly ip: string;
    /** The address of the socket; and what stands for it with the PROXY protocol. */
    readonly peer: string;
    readonly connection: string;
    readonly trusted: boolean;
    readonly source: ClientSource;
  };
  readonly request: {
    readonly method: string;
    readonly host: string;
    readonly path: string;
    readonly protocol: string;
  };
  readonly status: number;
  readonly reason: FailureKind | null;
  /** The measured detail of the failure. */
  readonly failure: Failure | null;
  readonly route: string | null;
  readonly cluster: string | null;
  readonly policy: string | null;
  /** Every limit is asked; none is charged if one that is enforced refuses. */
  readonly rateLimits: readonly AskedLimit[];
  readonly attempts: readonly AttemptDecision[];
  readonly retryRefused: string | null;
  readonly timeout: FiredTimeout | null;
  readonly timing: {
    readonly queueMs: number;
    readonly pausedMs: number;
    readonly totalMs: number;
    readonly overheadMs: number;
  };
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly plan: string;
}

interface KeptDecision {
  readonly decision: Decision;
  readonly head: RequestHead | null;
}

interface DecisionFilter {
  readonly reason?: string;
  readonly route?: string;
  readonly cluster?: string;
}

/** Some minutes of failures. With heads of at most 8 KiB each, this is at most 5 MiB. */
const RECORDS_MAX = 500;
/** Faults of clients have a ring of their own, so that a scanner does not push out the failures of backends. */
const CLIENT_RECORDS_MAX = 100;
const SUCCESS_EVERY_MS = 1_000;

/** The last `max` records; the oldest is overwritten. */
class Ring {
  readonly #max: number;
  readonly #records: (KeptDecision & { readonly number: number })[] = [];
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(record: KeptDecision & { readonly number: number }): void {
    this.#records[this.#next] = record;
    this.#next = (this.#next + 1) % this.#max;
  }

  newestFirst() {
    return [...this.#records.slice(this.#next), ...this.#records.slice(0, this.#next)].reverse();
  }
}

export class DecisionRing {
  readonly #ours = new Ring(RECORDS_MAX);
  readonly #clients = new Ring(CLIENT_RECORDS_MAX);
  #added = 0;
  #successMs = Number.NEGATIVE_INFINITY;

  /** A single comparison for a successful request. */
  wants(record: RequestRecord): boolean {
    if (!wentWell(record.status, record.reason)) return true;
    if (record.endedAtMs - this.#successMs < SUCCESS_EVERY_MS) return false;
    this.#successMs = record.endedAtMs;
    return true;
  }

  add(record: RequestRecord, facts: DecisionFacts, path: string, wallMs: number): void {
    const { reason } = record;
    const ring =
      reason !== null && FAILURE_RULES[reason].blame === 'client' && !record.explainWanted
        ? this.#clients
        : this.#ours;
    const decision = decisionOf(record, facts, path, wallMs);
    ring.add({ decision, head: facts.head, number: this.#added++ });
  }

  /** Newest first. */
  list(filter: DecisionFilter, limit: number): Decision[] {
    const found: Decision[] = [];
    for (const { decision } of this.#all()) {
      if (found.length >= limit) break;
      if (fits(decision, filter)) found.push(decision);
    }
    return found;
  }

  /** Failures, newest first. Faults of clients fill only the space that other failures leave. */
  failures(limit: number): Decision[] {
    const all = this.#all().filter(({ decision }) => !wentWell(decision.status, decision.reason));
    const [ours, theirs] = [true, false].map(wanted =>
      all.filter(({ decision }) => isFailure(decision.status, decision.reason) === wanted),
    );
    return [...(ours ?? []), ...(theirs ?? [])]
      .slice(0, limit)
      .toSorted((a, b) => b.number - a.number)
      .map(({ decision }) => decision);
  }

  /** The requests whose heads are kept, newest first: to match them again. */
  heads(): { readonly listener: string; readonly head: RequestHead }[] {
    return this.#all().flatMap(({ decision: { listener }, head }) =>
      head === null ? [] : [{ listener, head }],
    );
  }

  /** The newest record, because a load balancer in front may repeat a request with the same id. */
  find(id: string): KeptDecision | null {
    return this.#all().find(({ decision }) => decision.id === id) ?? null;
  }

  #all() {
    return [...this.#ours.newestFirst(), ...this.#clients.newestFirst()].sort((a, b) => b.number - a.number);
  }
}

function fits(decision: Decision, { reason, route, cluster }: DecisionFilter): boolean {
  return (
    (reason === undefined || decision.reason === reason) &&
    (route === undefined || decision.route === route) &&
    (cluster === undefined || decision.cluster === cluster)
  );
}

function decisionOf(record: RequestRecord, facts: DecisionFacts, path: string, wallMs: number): Decision {
  const { startedAtMs, endedAtMs } = record;
  return {
    id: record.requestId,
    time: new Date(wallMs).toISOString(),
    traceId: record.traceId,
    listener: record.listener,
    client: {
      ip: record.clientIp,
      peer: record.peerIp,
      connection: facts.connectionIp,
      trusted: facts.peerTrusted,
      source: facts.clientSource,
    },
    request: { method: record.method, host: record.host, path, protocol: record.protocol },
    status: record.status,
    reason: record.reason,
    failure: record.failure,
    route: record.route,
    cluster: record.cluster,
    policy: facts.policy,
    rateLimits: facts.rateLimits,
    attempts: record.attempts.map(attempt => attemptOf(attempt, record)),
    retryRefused: record.retryRefused,
    timeout: record.timeout,
    timing: {
      queueMs: rounded(record.queueMs),
      pausedMs: rounded(record.pausedMs),
      totalMs: rounded(endedAtMs - startedAtMs),
      overheadMs: rounded(overheadMs(record)),
    },
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    plan: record.plan,
  };
}

function attemptOf(attempt: AttemptRecord, { startedAtMs, endedAtMs }: RequestRecord): AttemptDecision {
  const { endpoint, connectMs, firstByteMs, status, reason, detail, reused } = attempt;
  return {
    endpoint,
    startMs: rounded(attempt.startedAtMs - startedAtMs),
    connectMs: connectMs === null ? null : rounded(connectMs),
    firstByteMs: firstByteMs === null ? null : rounded(firstByteMs),
    ms: rounded((attempt.endedAtMs ?? endedAtMs) - attempt.startedAtMs),
    status,
    reason,
    detail,
    reused,
  };
}

/** The cause of the outcome in one sentence. */
export function describeCause(decision: Decision): string {
  const { reason, attempts, timeout, retryRefused, status } = decision;
  const last = attempts.at(-1);
  if (reason === null) {
    const by = last === undefined ? 'the proxy itself' : `${decision.cluster} ${last.endpoint}`;
    return `Status ${status} from ${by}${again(attempts.length)}.`;
  }
  const detail = decision.failure === null ? null : detailOf(decision.failure);
  const parts = [`${FAILURE_RULES[reason].title} (${reason})${detail === null ? '' : `: ${detail}`}`];
  if (last !== undefined) parts.push(`the last attempt went to ${last.endpoint}${again(attempts.length)}`);
  if (timeout !== null) parts.push(`timeout ${timeout.name} of ${timeout.ms} ms, set by ${timeout.origin}`);
  if (retryRefused !== null) parts.push(`not retried: ${retryRefused}`);
  return `${parts.join('; ')}. See fairlead explain ${reason}.`;
}

function again(attempts: number): string {
  return attempts > 1 ? `, after ${attempts} attempts` : '';
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
