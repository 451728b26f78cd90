/**
 * The clusters: those with a problem first and open, the others folded to a line each. Names come in their natural order.
 *
 * Ids are short, because every change on the stream has one: `c3r` is the rate of the third cluster, `c3e1r` of its first
 * endpoint. A plan with other clusters gives them other meanings, and then whole rows are sent.
 */
import { counted } from '../observability/number_text.ts';
import { clusterSeverity, RIGHT, type Severity, severityOf } from './endpoint_severity.ts';
import { type Content, type Html, html, type Item, list, type Slot, slot } from './html.ts';
import { naturalOrder } from './natural_order.ts';
import { duration, ms, percent, rate } from './status_format.ts';
import { head, heading } from './status_page_table.ts';
import type { ClusterView, EndpointView } from './status_view.ts';

/** More than these are folded although they fail, or the page would be too long to read when everything is down. */
const OPEN_MAX = 8;
const DOTS_MAX = 32;

interface Ranked<T> {
  readonly one: T;
  readonly severity: Severity;
  readonly id: string;
}

export function clusters(all: readonly ClusterView[]): Html {
  if (all.length === 0) return html``;
  const ranked = rank(all, 'c', ({ name }) => name, clusterSeverity);
  const failing = ranked.filter(({ severity }) => severity < RIGHT);
  const open = new Set(failing.slice(0, OPEN_MAX));
  const items = ranked.map(one => clusterItem(one, open.has(one) || ranked.length === 1));
  const count = `${all.length}${failing.length === 0 ? '' : `, ${failing.length} with problems`}`;
  return html`${heading('clusters', 'Clusters', count)}<div class="list" id="cl">${list('cl', items)}</div>`;
}

/** The worst first, then by name; ids follow the names, so that they stay when the order changes. */
function rank<T>(
  all: readonly T[],
  prefix: string,
  nameOf: (one: T) => string,
  severityOfOne: (one: T) => Severity,
): Ranked<T>[] {
  return all
    .toSorted((a, b) => naturalOrder(nameOf(a), nameOf(b)))
    .map((one, at) => ({ one, severity: severityOfOne(one), id: `${prefix}${at}` }))
    .toSorted((a, b) => a.severity - b.severity);
}

function clusterItem({ one, severity, id }: Ranked<ClusterView>, isOpen: boolean): Item {
  const elementId = `cluster-${one.name}`;
  const endpoints = rank(one.endpoints, `${id}e`, ({ endpoint }) => endpoint, severityOf);
  const { figures } = one;
  const live = (key: string, content: Html | string): Html =>
    html`<span id="${id}${key}">${slot(`${id}${key}`, content)}</span>`;
  const summary = html`<summary id="${id}"><b>${one.name}</b>${live('d', dots(endpoints))}${live('g', eligible(one))}${live('r', html`${rate(figures.perSecond)}<i> req/s</i>`)}${live('p', html`<i>p95 </i>${ms(figures.p95Ms)}`)}${live('f', share(figures.failureShare))}${live('a', html`${inFlight(one)}<i> in flight</i>`)}${live('q', queued(one))}</summary>`;
  const rows = endpoints.map(row => endpointItem(one.name, row));
  return {
    id: elementId,
    html: html`<details class="cluster severity${severity}" id="${elementId}"${isOpen ? html` open` : ''}>${summary}<p class="facts" id="${id}h">${slot(`${id}h`, facts(one))}</p><table class="endpoints"><caption class="unseen">Endpoints of ${one.name}</caption>${head(HEADS)}<tbody id="${id}b">${list(`${id}b`, rows)}</tbody></table></details>`,
  };
}

function dots(endpoints: readonly Ranked<EndpointView>[]): Html {
  const shown = endpoints.slice(0, DOTS_MAX).map(({ severity }) => html`<i class="dot${severity}"></i>`);
  return html`<span class="dots" aria-hidden="true">${shown}</span>`;
}

function eligible({ serving, endpoints }: ClusterView): Html {
  const words = html`${serving}/${endpoints.length}<i> eligible</i>`;
  return serving === endpoints.length ? words : html`<span class="bad">${words}</span>`;
}

function share(failures: number): Html {
  const words = html`${percent(failures)}<i> fail</i>`;
  return failures > 0 ? html`<span class="bad">${words}</span>` : words;
}

function inFlight({ endpoints }: ClusterView): number {
  return endpoints.reduce((sum, one) => sum + one.inFlight, 0);
}

function queued({ queue }: ClusterView): Html {
  return queue === 0 ? html`` : html`<span class="bad">${queue} waiting</span>`;
}

function facts(one: ClusterView): string {
  const { policy, queue, queueMax, retryBudget, circuit, circuitWhy, panic } = one;
  const breaker =
    circuit === null ? [] : [`circuit breaker ${circuit}${circuitWhy === null ? '' : `: ${circuitWhy}`}`];
  return [
    policy,
    `queue ${queue} of ${queueMax}`,
    `retries left ${retryBudget}`,
    ...breaker,
    ...(panic ? ['below its panic threshold'] : []),
  ].join(' · ');
}

const HEADS = [
  'endpoint',
  'state',
  'req/s',
  'p95',
  'failures',
  'in flight',
  'connections',
  'retried',
  'ejections',
  'weight',
  'last error',
  '',
];

/** One template instead of a call for each cell: this is most of the page, every second. */
function endpointItem(cluster: string, { one, severity, id }: Ranked<EndpointView>): Item {
  const { endpoint, figures, connections, ejections, weight } = one;
  const live = (key: string, value: Content): Slot => slot(`${id}${key}`, value);
  const nil = (isNil: boolean): string => (isNil ? 'nil' : '');
  return {
    id,
    html: html`<tr class="severity${severity}" id="${id}"><th scope="row">${endpoint}</th><td id="${id}s">${live('s', state(one, id))}</td><td id="${id}r" data-name="req/s">${live('r', rate(figures.perSecond))}</td><td id="${id}p" data-name="p95">${live('p', ms(figures.p95Ms))}</td><td id="${id}f" data-name="fail">${live('f', percent(figures.failureShare))}</td><td id="${id}a" data-name="in flight">${live('a', one.inFlight)}</td><td id="${id}c" data-name="connections">${live('c', `${connections.inUse} / ${connections.open} of ${one.connectionsMax}`)}</td><td id="${id}t" data-name="retried" class="${nil(figures.retried === 0)}">${live('t', figures.retried)}</td><td data-name="ejections" class="${nil(ejections === 0)}">${ejections}</td><td data-name="weight" class="${nil(weight === 1)}">${weight}</td><td id="${id}l" class="${nil(one.lastError === null)}">${live('l', lastError(one, id))}</td><td class="act">${button(cluster, one, id)}</td></tr>`,
  };
}

function state({ state: name, sinceMs, disagrees, circuit }: EndpointView, id: string): Html {
  const isOpen = circuit === 'open';
  const words = [
    name,
    ...(disagrees && name === 'healthy' ? ['but requests fail'] : []),
    ...(circuit !== null && circuit !== 'closed' ? [`circuit ${circuit}`] : []),
  ].join(', ');
  return html`<span class="state ${isOpen ? 'unhealthy' : name}">${words}</span> <i id="${id}w">${slot(`${id}w`, duration(sinceMs))}</i>`;
}

/** The last error with its age, because an old error needs no attention. */
function lastError({ lastError: text, lastErrorAgoMs, circuitWhy }: EndpointView, id: string): Html {
  if (circuitWhy !== null) return html`${circuitWhy}`;
  if (text === null) return html`–`;
  if (lastErrorAgoMs === null) return html`${text}`;
  const age = slot(`${id}o`, `${duration(lastErrorAgoMs)} ago`);
  return html`${text} <i id="${id}o">${age}</i>`;
}

/** A plain form, so that it works without scripts. A name without an address cannot be drained. */
function button(cluster: string, { endpoint, state: name }: EndpointView, id: string): Html {
  if (name === 'unresolved') return html``;
  const action = name === 'drained' ? 'ready' : 'drain';
  const path = `/clusters/${encodeURIComponent(cluster)}/endpoints/${encodeURIComponent(endpoint)}`;
  return html`<button form="act" formaction="${path}" name="action" value="${action}" id="${id}x" aria-label="${action} ${endpoint} of ${cluster}">${action}</button>`;
}

/** For the line that says that nothing is wrong. */
export function eligibleWords(all: readonly ClusterView[]): string {
  const count = all.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
  if (count === 0) return 'There are no clusters.';
  if (count === 1) return 'The only endpoint is eligible.';
  return `All ${count} endpoints of ${counted(all.length, 'cluster')} are eligible.`;
}
