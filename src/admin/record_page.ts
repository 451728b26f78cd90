/** The record of one request as a page: what happened, where its time went, and what was in force. */
import { PHASES, type Phase, type Segment, timelineOf } from './attempt_timeline.ts';
import type { ExplainedDecision } from './decision_view.ts';
import { retryText, timeoutText, verdictOf } from './decision_view_text.ts';
import { renderElsewhere } from './elsewhere.ts';
import { type Content, type Html, html } from './html.ts';
import { reasonLink } from './reason_link.ts';
import { placeText } from './settings_text.ts';
import { smallPage } from './small_page.ts';
import { duration, ms } from './status_format.ts';
import { cell, head } from './status_page_table.ts';

export const NOT_KEPT =
  'no record of this request: the last 500 are kept, of failures and of one success per second; X-Fairlead-Explain: 1 records any request';

/** `nonce` allows the style of the page. */
export function renderRecordPage(decision: ExplainedDecision | null, nonce: string): string {
  if (decision === null)
    return smallPage(
      'no record',
      html`<div class="problems"><h2>Not found</h2><p>${NOT_KEPT}</p></div>`,
      nonce,
    );
  const content = html`${verdict(decision)}${about(decision)}${attempts(decision)}${nearer(decision)}${rateLimits(decision)}${endpointsNow(decision)}${settings(decision)}`;
  return smallPage(`request ${decision.id}`, content, nonce);
}

function verdict({ cause, reason, status, hints, elsewhere, listener }: ExplainedDecision): Html {
  const isCalm = reason === null && status < 500;
  const routesElsewhere = elsewhere === null ? [] : renderElsewhere(elsewhere, listener);
  const more =
    reason === null
      ? html``
      : html`<p><a href="${reasonLink(reason)}">What ${reason} means, and what to do</a></p>`;
  return html`<div class="${isCalm ? 'calm' : 'problems'}"><h2>${status} ${reason ?? ''}</h2><p>${cause}</p>${hints.map(hint => html`<p>Wrong: ${hint}.</p>`)}${routesElsewhere.map(sentence => html`<p>${sentence}</p>`)}${more}</div>`;
}

function about(decision: ExplainedDecision): Html {
  const { request, client, timing, cluster, policy, timeout, retryRefused, traceId } = decision;
  const facts: readonly (readonly [string, Content])[] = [
    ['request', html`<code>${request.method} ${request.host}${request.path}</code> ${request.protocol}`],
    ['time', decision.time],
    ['client', `${client.ip} (${decision.clientFrom})`],
    ['listener', decision.listener],
    ['route', decision.route ?? 'none'],
    ...(cluster === null
      ? []
      : [['cluster', html`<a href="/#cluster-${cluster}">${cluster}</a> (${policy ?? '–'})`] as const]),
    [
      'response',
      `${decision.status} after ${ms(timing.totalMs)}: queue ${ms(timing.queueMs)}, pauses ${ms(timing.pausedMs)}, proxy ${ms(timing.overheadMs)}`,
    ],
    ['bodies', `${decision.bytesIn} bytes in, ${decision.bytesOut} bytes out`],
    ...(timeout === null ? [] : [['timeout', timeoutText(decision, timeout)] as const]),
    ...(retryRefused === null ? [] : [['not retried', retryText(decision, retryRefused)] as const]),
    ...(traceId === null ? [] : [['trace', html`<code>${traceId}</code>`] as const]),
    ['plan', html`<code>${decision.plan.slice(0, 12)}</code>`],
  ];
  return html`<dl class="record">${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

const ATTEMPT_HEADS = ['endpoint', 'result', 'time', 'queue', 'connect', 'first byte', 'body', 'in all'];

function attempts(decision: ExplainedDecision): Html {
  const count = decision.attempts.length;
  if (count === 0) return html`<h2>Attempts</h2><p>None: no backend was asked.</p>`;
  const lines = timelineOf(decision);
  const legend = PHASES.map(phase => html`<span class="key ${phase}">${PHASE_WORDS[phase]}</span>`);
  const rows = decision.attempts.map((attempt, at) => {
    const line = lines[at] ?? [];
    const spent = (phase: Phase): Html =>
      cell({
        name: PHASE_WORDS[phase],
        value: ms(line.find(one => one.phase === phase)?.ms ?? null),
        isNumber: true,
      });
    const { endpoint, reason, status, detail, reused } = attempt;
    const result = `${reason ?? `status ${status}`}${detail === null ? '' : ` (${detail})`}`;
    return html`<tr><th scope="row">${endpoint}</th>${[
      cell({
        name: '',
        value: html`${reason === null ? result : html`<span class="bad">${result}</span>`}${reused ? html` <i>reused connection</i>` : ''}`,
      }),
      cell({ name: '', value: bar(line, decision.timing.totalMs) }),
      ...PHASES.map(spent),
      cell({ name: 'in all', value: ms(attempt.ms), isNumber: true }),
    ]}</tr>`;
  });
  return html`<h2>Attempts <small>${count}</small></h2><p class="facts">${legend}</p><table class="attempts">${head(ATTEMPT_HEADS)}<tbody>${rows}</tbody></table>`;
}

const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  queue: 'queue',
  connect: 'connect',
  wait: 'first byte',
  body: 'body',
};

const WIDTH = 1_000;
/** What took no time worth drawing can still be seen. */
const SEGMENT_WIDTH_MIN = 4;

/** On the scale of the whole request. Decorative; the numbers are in the cells beside it. */
function bar(segments: readonly Segment[], totalMs: number): Html {
  const scale = WIDTH / Math.max(totalMs, 0.01);
  const rects = segments.map(({ phase, startMs, ms: lengthMs }) => {
    const width = Math.max(SEGMENT_WIDTH_MIN, lengthMs * scale);
    const left = Math.min(startMs * scale, WIDTH - width);
    return html`<rect class="${phase}" x="${left.toFixed(1)}" width="${width.toFixed(1)}" height="14"/>`;
  });
  return html`<svg class="bar" viewBox="0 0 ${WIDTH} 14" preserveAspectRatio="none" aria-hidden="true">${rects}</svg>`;
}

function nearer({ nearer: routes }: ExplainedDecision): Html {
  const title = html`<h2>Why no more specific route</h2>`;
  if (routes === null)
    return html`${title}<p>Unknown: the plan or the head of the request is no longer kept.</p>`;
  if (routes.length === 0) return html``;
  return html`${title}<table>${head(['route', 'did not match'])}<tbody>${routes.map(({ route, reason }) => html`<tr><th scope="row">${route}</th>${cell({ name: '', value: reason })}</tr>`)}</tbody></table>`;
}

function rateLimits({ rateLimits: asked }: ExplainedDecision): Html {
  if (asked.length === 0) return html``;
  const rows = asked.map(({ limiter, mode, admitted, left }) => {
    const verdict = verdictOf(admitted, left);
    return html`<tr><th scope="row">${limiter}</th>${[cell({ name: '', value: verdict }), cell({ name: '', value: mode })]}</tr>`;
  });
  return html`<h2>Rate limits</h2><table>${head(['limit', 'verdict', 'mode'])}<tbody>${rows}</tbody></table>`;
}

function endpointsNow({ endpoints }: ExplainedDecision): Html {
  if (endpoints.length === 0) return html``;
  const rows = endpoints.map(
    ({ endpoint, state, sinceMs, circuitWhy, lastError, lastErrorAgoMs }) =>
      html`<tr><th scope="row">${endpoint}</th>${[
        cell({
          name: '',
          value: html`<span class="state ${state}">${state}</span> <i>${duration(sinceMs)}</i>`,
        }),
        cell({
          name: '',
          value:
            circuitWhy ??
            (lastError === null
              ? '–'
              : `${lastError}${lastErrorAgoMs === null ? '' : `, ${duration(lastErrorAgoMs)} ago`}`),
        }),
      ]}</tr>`,
  );
  return html`<h2>Endpoints of the cluster now</h2><table>${head(['endpoint', 'state', 'last error'])}<tbody>${rows}</tbody></table>`;
}

function settings({ settings: edits, limits }: ExplainedDecision): Html {
  const all = [...edits, ...limits];
  if (all.length === 0) return html``;
  const rows = all.map(
    ({ key, text, origin }) =>
      html`<tr><th scope="row"><code>${key}</code></th>${[cell({ name: '', value: text }), cell({ name: '', value: html`<code>${placeText(origin)}</code>` })]}</tr>`,
  );
  return html`<h2>Settings in force</h2><details class="fold"><summary>${all.length} settings, with the line that set each</summary><table>${head(['setting', 'value', 'set by'])}<tbody>${rows}</tbody></table></details>`;
}
