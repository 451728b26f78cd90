/** A decision record as text, for terminals and the page. It ends with what the reason means and what to change. */

import { withoutControls } from '../observability/visible_text.ts';
import type { ExplainedDecision } from './decision_view.ts';
import { renderElsewhere } from './elsewhere.ts';
import { type ReasonNames, reasonNamed, renderReason } from './reasons.ts';
import { unitText } from './settings_in_force.ts';
import { labelled, placeText, renderSettings, settingText } from './settings_text.ts';
import { duration } from './status_format.ts';
import type { EndpointCondition } from './status_view.ts';

export function renderDecision(decision: ExplainedDecision): string {
  const { request, client, reason } = decision;
  const lines = [
    decision.cause,
    ...decision.hints.map(hint => `Wrong: ${hint}.`),
    '',
    labelled('request', `${decision.id}  ${decision.time}`),
    labelled('', `${request.method} ${request.host}${request.path} ${request.protocol}`),
    labelled('listener', decision.listener),
    labelled('client', `${client.ip}  (${decision.clientFrom})`),
    ...routeLines(decision),
    ...attemptLines(decision),
    ...outcomeLines(decision),
    ...renderSettings([...decision.settings, ...decision.limits]),
  ];
  const found = reason === null ? null : reasonNamed(reason);
  return `${lines.map(withoutControls).join('\n')}\n${found === null ? '' : `\n${renderReason(found, namesOf(decision))}`}`;
}

function routeLines({ route, nearer, rateLimits, elsewhere, listener }: ExplainedDecision): string[] {
  const lines = [labelled('route', route ?? 'none')];
  for (const other of nearer ?? []) lines.push(labelled('  not', `${other.route}: ${other.reason}`));
  if (nearer === null)
    lines.push(labelled('  not', '(unknown: the plan or the head of the request is no longer kept)'));
  const sentences = elsewhere === null ? [] : renderElsewhere(elsewhere, listener);
  for (const [at, sentence] of sentences.entries())
    lines.push(labelled(at === 0 ? 'elsewhere' : '', sentence));
  for (const { limiter, mode, admitted, left } of rateLimits) {
    const verdict = verdictOf(admitted, left);
    lines.push(
      labelled('rate', `${limiter}  ${verdict}${mode === 'shadow' ? ' (shadow: only counted)' : ''}`),
    );
  }
  return lines;
}

function attemptLines({ cluster, policy, attempts, endpoints }: ExplainedDecision): string[] {
  const lines = cluster === null ? [] : [labelled('cluster', `${cluster}  (${policy})`)];
  for (const { endpoint, startMs, ms, status, reason, detail, reused } of attempts) {
    const what = `${reason ?? `status ${status}`}${detail === null ? '' : ` (${detail})`}`;
    const connection = reused ? ', on a reused connection' : '';
    lines.push(
      labelled('attempt', `${endpoint}  ${what}, began at ${startMs} ms, took ${ms} ms${connection}`),
    );
  }
  for (const endpoint of endpoints) lines.push(labelled('now', renderCondition(endpoint)));
  return lines;
}

function outcomeLines(decision: ExplainedDecision): string[] {
  const { retryRefused, timeout, timing, status, reason, plan } = decision;
  const lines: string[] = [];
  if (retryRefused !== null) lines.push(labelled('no retry', retryText(decision, retryRefused)));
  if (timeout !== null) lines.push(labelled('timeout', timeoutText(decision, timeout)));
  const parts = [
    `queue ${timing.queueMs} ms`,
    `pauses ${timing.pausedMs} ms`,
    `proxy ${timing.overheadMs} ms`,
  ];
  lines.push(
    labelled(
      'response',
      `${status}${reason === null ? '' : ` ${reason}`}  after ${timing.totalMs} ms (${parts.join(', ')})`,
    ),
    labelled('plan', plan.slice(0, 12)),
  );
  return lines;
}

/** The timeout by its key in the file, where the plan of then is still known. */
export function timeoutText(
  { limits }: ExplainedDecision,
  { name, ms, origin }: NonNullable<ExplainedDecision['timeout']>,
): string {
  const setting = limits.find(({ key, origin: its }) => key.endsWith(`.${name}`) && its === origin);
  const text = unitText('timeoutMs', ms);
  return setting === undefined
    ? `${name}: ${text} (${placeText(origin)})`
    : settingText({ ...setting, text });
}

/** Why a retry was not made, and the key that would allow it. */
const RETRY_KEYS: Readonly<Record<string, readonly [why: string, key: string]>> = {
  attempts_used_up: ['all attempts were made', 'retries.attempts'],
  budget_empty: ['too many retries for the requests of the cluster', 'retryBudget.ratio'],
  body_not_kept: ['the body was too large to be kept for another attempt', 'retries.replayBytes'],
  no_time: ['too little time was left', 'timeouts.request'],
};
const RETRY_TEXTS: Readonly<Record<string, string>> = {
  not_idempotent:
    'the backend may have processed it, and this method must not be done twice (RFC 9110 section 9.2.2)',
  retry_after_too_long: 'the backend asked for a longer pause (Retry-After) than the proxy waits',
};

export function retryText({ limits, cluster }: ExplainedDecision, refused: string): string {
  const [why, key] = RETRY_KEYS[refused] ?? [];
  if (why === undefined || key === undefined) {
    const text = RETRY_TEXTS[refused];
    return text === undefined ? refused : `${refused}: ${text}`;
  }
  const setting = limits.find(
    limit =>
      limit.key.endsWith(`.${key}`) &&
      (key !== 'retryBudget.ratio' || limit.key.startsWith(`clusters.${cluster}.`)),
  );
  return `${refused}: ${why}${setting === undefined ? '' : `; ${settingText(setting)}`}`;
}

/** The names that stand for `*` and ENDPOINT in the text of the reason, so that its keys and commands can be copied. */
function namesOf({ listener, route, cluster, attempts }: ExplainedDecision): ReasonNames {
  return { listener, route, cluster, endpoint: attempts.at(-1)?.endpoint ?? null };
}

export function verdictOf(admitted: boolean, left: number | null): string {
  if (left === null) return `${admitted ? 'admitted' : 'refused'}, its store did not answer`;
  return admitted ? `admitted, ${left} left` : 'refused';
}

function renderCondition({
  endpoint,
  state,
  lastError,
  lastErrorAgoMs,
  circuit,
  circuitWhy,
}: EndpointCondition): string {
  const parts = [`${endpoint}  ${state}`];
  if (circuitWhy !== null) parts.push(`circuit ${circuit}: ${circuitWhy}`);
  if (lastError !== null) {
    const ago = lastErrorAgoMs === null ? '' : ` (${duration(lastErrorAgoMs)} ago)`;
    parts.push(`last error: ${lastError}${ago}`);
  }
  return parts.join(', ');
}
