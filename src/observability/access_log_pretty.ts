/**
 * One request as one line for people:
 *
 *   19:52:03.412 200  1.4 ms GET   a.test/fast/hello → 10.0.0.1:8080
 *   19:52:04.951 504  1.00 s GET   a.test/slow → 10.0.0.2:8080 response_head_timeout (responseHead 1.00 s, edge.yaml:17:31) id 01a1…
 *
 * Each attempt is shown with the reason why it failed. The id, for `fairlead explain --request ID`, is there where something
 * failed. What clients and backends say is escaped, so that nobody can send commands to the terminal.
 */
import { detailOf, FAILURE_RULES, wentWell } from '../resilience/failure.ts';
import type { LineFormat } from './access_log.ts';
import type { AttemptRecord, RequestRecord } from './events.ts';
import { measured } from './number_text.ts';
import { prettyTime } from './pretty_time.ts';
import type { Paint, Style } from './terminal.ts';
import { asciiOnly, cut } from './visible_text.ts';

const METHOD_LENGTH_MAX = 16;
const TARGET_LENGTH_MAX = 120;
const DETAIL_LENGTH_MAX = 160;
const RUNS_SHOWN_MAX = 3;
/** Of most methods, so that targets are below each other. */
const METHOD_WIDTH = 5;
const DURATION_WIDTH = 7;

export function prettyFormat(time: 'epoch' | 'iso', paint: Paint): LineFormat {
  return (record, path, wallMs) => {
    const { status, method, host, startedAtMs, endedAtMs } = record;
    const target = cut(asciiOnly(`${host}${path}`), TARGET_LENGTH_MAX);
    const parts = [
      paint(prettyTime(time, wallMs), 'dim'),
      paint(String(status), styleOf(status)),
      paint(measured(endedAtMs - startedAtMs).padStart(DURATION_WIDTH), 'dim'),
      paint(cut(asciiOnly(method), METHOD_LENGTH_MAX).padEnd(METHOD_WIDTH), 'bold'),
      target === '' ? '-' : target,
      ...attemptsOf(record, paint),
      ...failureOf(record, paint),
    ];
    return `${parts.join(' ')}\n`;
  };
}

function styleOf(status: number): Style {
  if (status >= 500) return 'red';
  if (status >= 400) return 'yellow';
  return status >= 300 || status < 200 ? 'cyan' : 'green';
}

/** Where it went; a response of the proxy itself names its route. */
function attemptsOf({ attempts, route, reason }: RequestRecord, paint: Paint): string[] {
  if (attempts.length === 0)
    return route === null || reason !== null ? [] : [paint(`by route ${asciiOnly(route)}`, 'dim')];
  const runs = runsOf(attempts);
  const hidden = Math.max(0, runs.length - RUNS_SHOWN_MAX);
  const earlier = hidden === 0 ? [] : [paint(`… ${hidden} earlier`, 'dim')];
  const shown = runs.slice(hidden).map(({ attempt, count }, at, { length }) => {
    // The reason of the whole request has its own place.
    const why = at === length - 1 && attempt.reason === reason ? null : attempt.reason;
    const where = `${paint('→', 'dim')} ${asciiOnly(attempt.endpoint)}${count === 1 ? '' : ` ×${count}`}`;
    return why === null ? where : `${where} ${paint(why, 'yellow')}`;
  });
  return [...earlier, ...shown];
}

/** Attempts in a row at one endpoint with one result are shown once. */
function runsOf(attempts: readonly AttemptRecord[]): { readonly attempt: AttemptRecord; count: number }[] {
  const runs: { readonly attempt: AttemptRecord; count: number }[] = [];
  for (const attempt of attempts) {
    const last = runs.at(-1);
    if (last?.attempt.endpoint === attempt.endpoint && last.attempt.reason === attempt.reason) last.count++;
    else runs.push({ attempt, count: 1 });
  }
  return runs;
}

function failureOf(record: RequestRecord, paint: Paint): string[] {
  const { reason, status, requestId, grpcStatus } = record;
  const parts: string[] = [];
  if (grpcStatus !== null) parts.push(paint(`grpc-status ${grpcStatus}`, grpcStatus === 0 ? 'dim' : 'red'));
  if (reason !== null) {
    const facts = factsOf(record);
    const text = facts.length === 0 ? reason : `${reason} (${facts.join(', ')})`;
    parts.push(paint(text, FAILURE_RULES[reason].logLevel === 'info' ? 'yellow' : 'red'));
  }
  if (!wentWell(status, reason)) parts.push(paint(`id ${asciiOnly(requestId)}`, 'dim'));
  return parts;
}

/** What is known beyond the reason. */
function factsOf({ failure, timeout, retryRefused, attempts }: RequestRecord): string[] {
  const detail = failure === null ? null : detailOf(failure);
  const isPlain = retryRefused === 'attempts_used_up' && attempts.length > 1; // the attempts are shown
  return [
    ...(detail === null ? [] : [cut(asciiOnly(detail), DETAIL_LENGTH_MAX)]),
    ...(timeout === null ? [] : [`${timeout.name} ${measured(timeout.ms)}, ${asciiOnly(timeout.origin)}`]),
    ...(retryRefused === null || isPlain ? [] : [`no retry: ${retryRefused}`]),
  ];
}
