/**
 * The status page, for a person who looks at it when something is wrong: problems come first, in words, the worst on top.
 *
 * The server renders all of it, so that it is readable without scripts. `status_page_script.ts` only replaces `<main>` once
 * a second.
 */

import type { Decision } from '../observability/decision_ring.ts';
import { detailOf } from '../resilience/failure.ts';
import { FAILURE_SHARE_BAD, severityOf, sorted } from './endpoint_severity.ts';
import { Html, html } from './html.ts';
import type { Problem } from './problem.ts';
import { duration, ms, percent, percentiles, rate, time } from './status_format.ts';
import { SCRIPT } from './status_page_script.ts';
import { STYLE } from './status_page_style.ts';
import { problemsOf } from './status_problems.ts';
import type { ClusterView, EndpointView, PageView } from './status_view.ts';

/** `nonce` allows this page's own style and script, and no other. */
export function renderPage(view: PageView, nonce: string): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${problemsOf(view).length > 0 ? '● ' : ''}Fairlead</title>
<noscript><meta http-equiv="refresh" content="5"></noscript>
<style nonce="${nonce}">${new Html(STYLE)}</style>
</head>
<body>
<p id="news" role="status" aria-live="polite" class="unseen"></p>
<div id="live">${renderLive(view)}</div>
<script nonce="${nonce}">${new Html(SCRIPT)}</script>
</body>
</html>
`.text;
}

/** The part that changes: everything visible. */
export function renderLive(view: PageView): Html {
  const problems = problemsOf(view);
  return html`${header(view)}<main>
${summary(view, problems)}
${tiles(view)}
${view.clusters.length === 0 ? html`` : clusters(view)}
${routes(view)}
${failures(view)}
</main>`;
}

// ---- parts

function header(view: PageView): Html {
  const { lastReload } = view;
  const reload =
    lastReload === null
      ? html`none since start`
      : html`<span class="${lastReload.result.kind === 'rejected' ? 'bad' : ''}">${lastReload.result.kind}</span> ${time(lastReload.at)} (${lastReload.trigger})`;
  return html`<header>
<h1>Fairlead <small>${view.version}</small></h1>
<dl>
<div><dt>state</dt><dd class="${view.phase === 'serving' ? 'good' : 'bad'}">${view.phase.replace('_', ' ')}</dd></div>
<div><dt>up</dt><dd>${duration(view.uptimeMs)}</dd></div>
<div><dt>plan</dt><dd><a id="plan" href="/plan"><code>${view.plan.slice(0, 12)}</code></a></dd></div>
<div><dt>last reload</dt><dd>${reload}</dd></div>
<div><dt>ready</dt><dd>${view.readiness.ready ? 'yes' : `no: ${view.readiness.reasons.join('; ')}`}</dd></div>
</dl>
</header>`;
}

function summary(view: PageView, problems: readonly Problem[]): Html {
  if (problems.length > 0)
    return html`<section class="problems" aria-labelledby="problems"><h2 id="problems">Problems</h2><ul>${problems
      .slice(0, PROBLEMS_SHOWN)
      .map(
        ({ text, anchor }) =>
          html`<li>${anchor === null ? text : html`<a href="${anchor}">${text}</a>`}</li>`,
      )}${problems.length > PROBLEMS_SHOWN ? html`<li>and ${problems.length - PROBLEMS_SHOWN} more</li>` : ''}</ul></section>`;
  const count = view.clusters.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
  return html`<section class="calm" aria-labelledby="problems"><h2 id="problems">No problems</h2><p>${count === 1 ? 'The only endpoint is eligible' : `All ${count} endpoints are eligible`}.</p></section>`;
}

function tiles({ figures, samples, requests, overheadMs }: PageView): Html {
  const last = samples.at(-1);
  const one = (name: string, value: string, line: readonly number[], bad = false): Html =>
    html`<div class="tile${bad ? ' hurting' : ''}"><h3>${name}</h3><p>${value}</p>${sparkline(line)}</div>`;
  const share = (sample: PageView['samples'][number]) =>
    sample.requests === 0 ? 0 : sample.failed / sample.requests;
  return html`<section class="tiles" aria-label="The last 60 seconds">
${one(
  'requests/s',
  rate(figures.perSecond),
  samples.map(sample => sample.requests),
)}
${one('failures', percent(figures.failureShare), samples.map(share), figures.failureShare > FAILURE_SHARE_BAD)}
${one(
  'p50 / p95 / p99',
  percentiles(figures),
  samples.map(sample => sample.p95Ms),
)}
${one(
  'in flight',
  String(requests.active),
  samples.map(({ active }) => active),
)}
${one(
  'tunnels',
  String(requests.tunnels),
  samples.map(({ tunnels }) => tunnels),
)}
${one(
  'event loop delay',
  ms(last?.loopDelayMs ?? 0),
  samples.map(({ loopDelayMs }) => loopDelayMs),
  (last?.loopDelayMs ?? 0) > 100,
)}
${one(
  'proxy overhead',
  ms(overheadMs),
  samples.map(sample => sample.overheadMs),
)}
</section>`;
}

const PROBLEMS_SHOWN = 12;
const LINE = { width: 120, height: 24 };

/** Decorative; the value beside it is the accessible one. */
function sparkline(values: readonly number[]): Html {
  const highest = Math.max(...values, 1e-9);
  const step = LINE.width / 59;
  const points = values.map((value, at) => {
    const x = LINE.width - (values.length - 1 - at) * step;
    return `${x.toFixed(1)},${(LINE.height - 1 - (value / highest) * (LINE.height - 2)).toFixed(1)}`;
  });
  return html`<svg viewBox="0 0 ${LINE.width} ${LINE.height}" preserveAspectRatio="none" aria-hidden="true"><polyline points="${points.join(' ')}"/></svg>`;
}

const ENDPOINT_HEADS = [
  'endpoint',
  'state',
  'since',
  'last error',
  'in flight',
  'connections',
  'req/s',
  'p95',
  'failures',
  'retried',
  'circuit',
  'ejections',
  'weight',
];

function clusters(view: PageView): Html {
  return html`<section aria-labelledby="clusters"><h2 id="clusters">Clusters</h2>${view.clusters.map(cluster)}</section>`;
}

function cluster(one: ClusterView): Html {
  const resting = one.endpoints.filter(({ circuit }) => circuit !== null && circuit !== 'closed').length;
  const rest = resting === 0 ? '' : ` (${resting} paused by their circuit breaker)`;
  const facts = `${one.policy}, ${one.serving} of ${one.endpoints.length} eligible${rest}, queue ${one.queue} of ${one.queueMax}, retries left ${one.retryBudget}${one.circuit === null ? '' : `, cluster circuit ${one.circuit}`}`;
  return html`<table class="endpoints" id="cluster-${one.name}"><caption><b>${one.name}</b> <span>${facts}</span></caption>${head(ENDPOINT_HEADS)}<tbody>${sorted(one.endpoints).map(endpointRow)}</tbody></table>`;
}

function endpointRow(endpoint: EndpointView): Html {
  const { state, connections, figures, circuit } = endpoint;
  const words = endpoint.disagrees ? `${state}, but requests fail` : state;
  const resting = circuit === 'open' ? ', circuit open' : '';
  return html`<tr class="severity${severityOf(endpoint)}"><th scope="row">${endpoint.endpoint}</th>${cells(
    ENDPOINT_HEADS,
    [
      html`<span class="state ${resting === '' ? state : 'unhealthy'}">${words}${resting}</span>`,
      duration(endpoint.sinceMs),
      lastErrorOf(endpoint),
      endpoint.inFlight,
      `${connections.inUse} used, ${connections.open} open of ${endpoint.connectionsMax}`,
      rate(figures.perSecond),
      ms(figures.p95Ms),
      percent(figures.failureShare),
      figures.retried,
      circuit ?? '–',
      endpoint.ejections,
      endpoint.weight,
    ],
  )}</tr>`;
}

/** The last error with its age, because an old error needs no attention. */
function lastErrorOf({ lastError, lastErrorAgoMs }: EndpointView): string {
  if (lastError === null) return '–';
  return lastErrorAgoMs === null ? lastError : `${lastError}, ${duration(lastErrorAgoMs)} ago`;
}

const ROUTE_HEADS = ['route', 'match', 'action', 'req/s', 'p95', 'failures'];

function routes(view: PageView): Html {
  return html`<section aria-labelledby="routes"><h2 id="routes">Routes</h2><table>${head(ROUTE_HEADS)}<tbody>${view.routes.map(
    ({ name, match, action, figures }) =>
      html`<tr class="severity${figures.failureShare > FAILURE_SHARE_BAD ? 1 : 3}"><th scope="row">${name}</th>${cells(ROUTE_HEADS, [match, action, rate(figures.perSecond), ms(figures.p95Ms), percent(figures.failureShare)])}</tr>`,
  )}</tbody></table></section>`;
}

/** The reason with its measured facts, and the line that set the limit. */
function describeFailure({
  reason,
  status,
  failure,
  timeout,
}: Pick<Decision, 'reason' | 'status' | 'failure' | 'timeout'>): string {
  const parts: string[] = [reason ?? `status ${status}`];
  const detail = failure === null ? null : detailOf(failure);
  if (detail !== null) parts.push(detail);
  if (timeout !== null) parts.push(`${timeout.name} of ${timeout.ms} ms (${timeout.origin})`);
  return parts.join(': ');
}

const FAILURE_HEADS = ['time', 'reason', 'status', 'route', 'endpoint', 'attempts', 'request'];

function failures(view: PageView): Html {
  if (view.failures.length === 0)
    return html`<section aria-labelledby="failures"><h2 id="failures">Last failures</h2><p>None.</p></section>`;
  return html`<section aria-labelledby="failures"><h2 id="failures">Last failures</h2><table>${head(FAILURE_HEADS)}<tbody>${view.failures.map(
    ({ id, time: at, route, status, attempts, request, ...failed }) =>
      html`<tr><th scope="row">${time(at)}</th>${cells(FAILURE_HEADS, [
        describeFailure({ status, ...failed }),
        status,
        route ?? '–',
        attempts.at(-1)?.endpoint ?? '–',
        attempts.length,
        html`<a id="r-${id}" href="/requests/${encodeURIComponent(id)}">${`${request.method} ${request.path}`.slice(0, 60)}</a>`,
      ])}</tr>`,
  )}</tbody></table></section>`;
}

// ---- helpers

function head(names: readonly string[]): Html {
  return html`<thead><tr>${names.map(name => html`<th scope="col">${name}</th>`)}</tr></thead>`;
}

/** The cells after the row header; each repeats its column name for narrow screens. */
function cells(names: readonly string[], values: readonly (Html | string | number)[]): Html[] {
  return values.map((value, at) => html`<td data-name="${names[at + 1] ?? ''}">${value}</td>`);
}
