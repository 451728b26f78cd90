/** What is wrong with the process itself: its phase, its load, its limits, its log, its plan. */
import { countedVerb } from '../observability/number_text.ts';
import { FAILURE_RULES, type FailureKind, isFailure } from '../resilience/failure.ts';
import type { OverloadSignal } from '../resilience/overload.ts';
import { FAILURE_SHARE_BAD } from './endpoint_severity.ts';
import { ABOUT_PROCESS, ABOUT_RELOAD, aboutListener, type Problem } from './problem.ts';
import { ms, percent } from './status_format.ts';
import type { LimitView, LoadView, PageView } from './status_view.ts';

export function processProblems(view: PageView): Problem[] {
  const { phase, overload } = view;
  const found: Problem[] = [];
  if (phase !== 'serving')
    found.push({
      severity: 'error',
      ...ABOUT_PROCESS,
      text: `The process is ${phase.replace('_', ' ')}.`,
      key: null,
    });
  if (overload !== null)
    found.push({
      severity: 'error',
      ...ABOUT_PROCESS,
      text: `Requests are refused because of overload (${overload}).`,
      key: overloadKey(overload),
    });
  return [
    ...found,
    ...failureProblem(view),
    ...logProblem(view),
    ...loadProblems(view.load),
    ...nearLimits(view.limits),
  ];
}

function overloadKey(signal: string): string {
  const keys: Readonly<Record<string, string>> = {
    event_loop: 'process.overload.eventLoopDelay',
    heap: 'process.overload.heapRatio',
    buffered_bytes: 'process.bufferedBytes',
  } satisfies Record<OverloadSignal, string>;
  return keys[signal] ?? 'process.overload';
}

// ---- requests

/** Below this number a share says little. */
const REQUESTS_MIN = 20;

/** Over all routes, because a failure need not be that of an endpoint. */
function failureProblem({ figures, recentFailures }: PageView): Problem[] {
  const { requests, failureShare } = figures;
  if (requests < REQUESTS_MIN || failureShare <= FAILURE_SHARE_BAD) return [];
  const byReason = new Map<string, number>();
  for (const { cause, count } of recentFailures)
    if (counts(cause)) byReason.set(cause, (byReason.get(cause) ?? 0) + count);
  const [first] = [...byReason].toSorted(([, a], [, b]) => b - a);
  const mostly = first === undefined ? '' : `, mostly with ${first[0]}`;
  return [
    {
      severity: 'error',
      ...ABOUT_PROCESS,
      text: `${percent(failureShare)} of the ${requests} requests of the last minute failed${mostly}.`,
      key: null,
    },
  ];
}

/** Whether the share counts it: not a rate limit that refuses, nor maintenance. Other causes are statuses of backends. */
function counts(cause: string): boolean {
  return !Object.hasOwn(FAILURE_RULES, cause) || isFailure(0, cause as FailureKind);
}

// ---- log

function logProblem({ linesLost }: PageView): Problem[] {
  if (linesLost === 0) return [];
  return [
    {
      severity: 'warning',
      ...ABOUT_PROCESS,
      text: `${countedVerb(linesLost, 'log line', 'was')} lost in the last minute: the reader of the log is too slow or gone, or the disk is full.`,
      key: 'logging.access.sample',
    },
  ];
}

// ---- load and limits

const BUSY_SHARE = 0.9;
/** Of `process.overload.eventLoopDelay`, at which requests are refused. */
const DELAY_SHARE = 0.5;
/** Where that is off. */
const DELAY_BAD_MS = 100;

function loadProblems({ loopShare, cpuShare, loopDelayMs, loopDelayMaxMs }: LoadView): Problem[] {
  const found: Problem[] = [];
  const add = (text: string, key: string | null): void => {
    found.push({ severity: 'warning', ...ABOUT_PROCESS, text, key });
  };
  if (loopShare >= BUSY_SHARE)
    add(
      `The event loop was busy for ${percent(loopShare)} of the last 10 s: this process cannot serve much more (a second one may share its ports, with reusePort).`,
      null,
    );
  else if (cpuShare >= BUSY_SHARE)
    add(`The process used ${percent(cpuShare)} of the CPU that it may use in the last 10 s.`, null);
  if (loopDelayMs >= (loopDelayMaxMs === null ? DELAY_BAD_MS : loopDelayMaxMs * DELAY_SHARE)) {
    const limit = loopDelayMaxMs === null ? '' : `; from ${ms(loopDelayMaxMs)} on, requests are refused`;
    add(
      `The event loop was ${ms(loopDelayMs)} late over the last 10 s${limit}.`,
      'process.overload.eventLoopDelay',
    );
  }
  return found;
}

const NEAR_SHARE = 0.8;

function nearLimits(limits: readonly LimitView[]): Problem[] {
  return limits
    .filter(({ used, max }) => used >= max * NEAR_SHARE)
    .map(({ what, listener, used, max, key }) => {
      const raise = key === null ? ' (raise LimitNOFILE, ulimit -n)' : '';
      return {
        severity: 'warning' as const,
        ...(listener === null ? ABOUT_PROCESS : aboutListener(listener)),
        text: `${listener === null ? '' : `${listener}: `}${used} of ${max} ${what} are in use${raise}.`,
        key,
      };
    });
}

// ---- plan

export function reloadProblems({ isFromFile, lastReload }: PageView): Problem[] {
  const found: Problem[] = [];
  const result = lastReload?.result;
  if (!isFromFile)
    found.push({
      severity: 'warning',
      ...ABOUT_RELOAD,
      text: 'The running plan came from a rollback; the next reload or restart would bring back the plan in the file.',
      key: null,
    });
  if (result?.kind === 'rejected')
    found.push({
      severity: 'warning',
      ...ABOUT_RELOAD,
      text: `The last reload was rejected: ${result.problems?.[0] ?? ''}`,
      key: null,
    });
  return found;
}
