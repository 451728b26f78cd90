/** Recent failures, one line for each kind of each route, which opens to the newest of them. */

import type { Decision } from '../observability/decision_ring.ts';
import { counted } from '../observability/number_text.ts';
import { detailOf, FAILURE_RULES } from '../resilience/failure.ts';
import type { FailureGroup } from './failure_groups.ts';
import { type Html, html, type Item, list, slot } from './html.ts';
import { reasonLink } from './reason_link.ts';
import { duration, ms, time } from './status_format.ts';
import { cell, head, heading } from './status_page_table.ts';

const HEADS = ['time', 'what happened', 'status', 'endpoint', 'attempts', 'after', 'request'];
const REQUEST_CHARACTERS_MAX = 80;

/** More kinds than these are folded: the clusters below must not be out of sight. */
const SHOWN_MAX = 10;

export function failures(groups: readonly FailureGroup[]): Html {
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  const title = heading('failures', 'Failures', count === 0 ? 'none' : `${count} kept`);
  if (groups.length === 0) return title;
  // What clients do wrong goes on all day; it comes after what an operator can do something about.
  const items = groups.toSorted((a, b) => Number(isOfClient(a)) - Number(isOfClient(b))).map(item);
  const more = items.slice(SHOWN_MAX);
  const folded = html`<details id="failures-more"><summary id="failures-more-s">${counted(more.length, 'other kind')}</summary><div class="list" id="fm">${list('fm', more)}</div></details>`;
  return html`${title}<div class="list" id="fl">${list('fl', items.slice(0, SHOWN_MAX))}</div>${more.length > 0 ? folded : ''}`;
}

function isOfClient({ reason, status }: FailureGroup): boolean {
  return reason === null ? status < 500 : FAILURE_RULES[reason].blame === 'client';
}

function item(group: FailureGroup): Item {
  const { reason, status, route, cluster, count } = group;
  const id = `f-${[reason ?? status, route ?? '', cluster ?? ''].join('-')}`;
  const live = (key: string, content: Html | string): Html =>
    html`<span id="${id}${key}">${slot(`${id}${key}`, content)}</span>`;
  const where = [
    route === null ? 'no route' : `route ${route}`,
    ...(cluster === null ? [] : [`cluster ${cluster}`]),
  ];
  return {
    id,
    html: html`<details class="failure ${isOfClient(group) ? 'client' : ''}" id="${id}"><summary id="${id}-s"><b>${reason ?? `status ${status}`}</b>${live('n', `×${count}`)}${live('t', `last ${duration(group.newestAgoMs)} ago`)}<span>${where.join(' → ')}</span>${live('e', endpoints(group))}</summary><p class="facts">${meaning(group)}</p><table class="failures">${head(HEADS)}<tbody id="${id}b">${list(`${id}b`, group.newest.map(row))}</tbody></table></details>`,
  };
}

function endpoints({ endpoints: all, count }: FailureGroup): string {
  return all
    .map(({ endpoint, count: ofIt }) => (ofIt === count ? endpoint : `${endpoint} ×${ofIt}`))
    .join(', ');
}

function meaning({ reason, cluster }: FailureGroup): Html {
  const at = cluster === null ? html`` : html` · <a href="#cluster-${cluster}">cluster ${cluster}</a>`;
  if (reason === null) return html`The backend itself responded with this status.${at}`;
  return html`${FAILURE_RULES[reason].title}. <a href="${reasonLink(reason)}">What it means, and what to do</a>${at}`;
}

function row(decision: Decision): Item {
  const { id, time: at, status, attempts, request, timing } = decision;
  const rowId = `r-${id}`;
  const asked = `${request.method} ${request.path}`.slice(0, REQUEST_CHARACTERS_MAX);
  return {
    id: rowId,
    html: html`<tr id="${rowId}"><th scope="row">${time(at)}</th>${[
      cell({ name: '', value: describeFailure(decision) }),
      cell({ name: 'status', value: status, isNumber: true }),
      cell({ name: '', value: attempts.at(-1)?.endpoint ?? '–', isNil: attempts.length === 0 }),
      cell({ name: 'attempts', value: attempts.length, isNil: attempts.length < 2, isNumber: true }),
      cell({ name: 'after', value: ms(timing.totalMs), isNumber: true }),
      cell({
        name: '',
        value: html`<a id="${rowId}-a" href="/requests/${encodeURIComponent(id)}">${asked}</a>`,
      }),
    ]}</tr>`,
  };
}

/** The measured facts, and the line that set the limit. */
function describeFailure({ failure, timeout, status }: Decision): string {
  const detail = failure === null ? null : detailOf(failure);
  const parts = [
    ...(detail === null ? [] : [detail]),
    ...(timeout === null ? [] : [`${timeout.name} of ${timeout.ms} ms (${timeout.origin})`]),
  ];
  return parts.length === 0 ? `status ${status}` : parts.join(': ');
}
