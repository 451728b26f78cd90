/** A decision record as text, for terminals and the page. */

import type { ExplainedDecision } from './decision_view.ts';
import { duration } from './status_format.ts';
import type { EndpointCondition } from './status_view.ts';

export function renderDecision(decision: ExplainedDecision): string {
  const { request, client, timing } = decision;
  const lines = [
    decision.cause,
    '',
    `request    ${decision.id}  ${decision.time}`,
    `           ${request.method} ${request.host}${request.path} ${request.protocol}`,
    `listener   ${decision.listener}`,
    `client     ${client.ip}  (${decision.clientFrom})`,
    `route      ${decision.route ?? 'none'}`,
  ];
  for (const { route, reason } of decision.nearer ?? []) lines.push(`  not      ${route}: ${reason}`);
  if (decision.nearer === null)
    lines.push('  not      (unknown: the plan or the head of the request is no longer kept)');
  for (const { limiter, mode, admitted, left } of decision.rateLimits) {
    const verdict = verdictOf(admitted, left);
    lines.push(`rate       ${limiter}  ${verdict}${mode === 'shadow' ? ' (shadow: only counted)' : ''}`);
  }
  if (decision.cluster !== null) lines.push(`cluster    ${decision.cluster}  (${decision.policy})`);
  for (const { endpoint, startMs, ms, status, reason, detail, reused } of decision.attempts) {
    const what = `${reason ?? `status ${status}`}${detail === null ? '' : ` (${detail})`}`;
    lines.push(
      `attempt    ${endpoint}  ${what}  at ${startMs} ms for ${ms} ms${reused ? ', reused connection' : ''}`,
    );
  }
  for (const endpoint of decision.endpoints) lines.push(`now        ${renderCondition(endpoint)}`);
  if (decision.retryRefused !== null) lines.push(`no retry   ${decision.retryRefused}`);
  const { timeout } = decision;
  if (timeout !== null) lines.push(`timeout    ${timeout.name} of ${timeout.ms} ms  ${timeout.origin}`);
  lines.push(
    `response   ${decision.status}${decision.reason === null ? '' : ` ${decision.reason}`}  after ${timing.totalMs} ms (queue ${timing.queueMs}, pauses ${timing.pausedMs}, proxy ${timing.overheadMs})`,
    `plan       ${decision.plan.slice(0, 12)}`,
  );
  for (const { name, value, origin } of decision.limits)
    lines.push(`limit      ${name.padEnd(30)} ${String(value ?? 'off').padEnd(12)} ${origin}`);
  return `${lines.map(printable).join('\n')}\n`;
}

function verdictOf(admitted: boolean, left: number | null): string {
  if (left === null) return `${admitted ? 'admitted' : 'refused'}, its store did not answer`;
  return admitted ? `admitted, ${left} left` : 'refused';
}

/** Text from outside must not contain commands for a terminal. */
function printable(line: string): string {
  return line.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
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
