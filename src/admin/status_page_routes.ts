/** The routes: failing ones first, the others in the natural order of their names, folded where there are many. */
import { counted } from '../observability/number_text.ts';
import { FAILURE_SHARE_BAD } from './endpoint_severity.ts';
import { type Html, html, type Item, list } from './html.ts';
import { naturalOrder } from './natural_order.ts';
import { ms, percent, rate } from './status_format.ts';
import { cell, head, heading } from './status_page_table.ts';
import type { RouteView } from './status_view.ts';

/** More routes than this are folded. */
const OPEN_MAX = 12;
const HEADS = ['route', 'listeners', 'match', 'action', 'req/s', 'p95', 'failures'];

export function routes(all: readonly RouteView[]): Html {
  const rows = all
    .toSorted((a, b) => naturalOrder(a.name, b.name))
    .map((route, at) => ({ isFailing: route.figures.failureShare > FAILURE_SHARE_BAD, route, id: `r${at}` }));
  const failing = rows.filter(({ isFailing }) => isFailing);
  const others = rows.filter(({ isFailing }) => !isFailing);
  const count = `${all.length}${failing.length === 0 ? '' : `, ${failing.length} failing`}`;
  const folded = html`<details id="routes-well"${others.length <= OPEN_MAX ? html` open` : ''}><summary id="routes-well-s">${counted(others.length, failing.length === 0 ? 'route' : 'other route')}</summary>${table('rw', others)}</details>`;
  return html`${heading('routes', 'Routes', count)}${failing.length > 0 ? table('rf', failing) : ''}${others.length > 0 ? folded : ''}`;
}

interface Row {
  readonly route: RouteView;
  readonly id: string;
  readonly isFailing: boolean;
}

function table(id: string, rows: readonly Row[]): Html {
  return html`<table class="routes">${head(HEADS)}<tbody id="${id}">${list(id, rows.map(item))}</tbody></table>`;
}

function item({ route, id, isFailing }: Row): Item {
  const { name, listeners, match, action, cluster, figures } = route;
  const live = (key: string, label: string, value: string): Html =>
    cell({ name: label, value, isNumber: true, id: `${id}${key}` });
  const target = cluster === null ? html`${action}` : html`<a href="#cluster-${cluster}">${action}</a>`;
  return {
    id,
    html: html`<tr class="severity${isFailing ? 1 : 3}" id="${id}"><th scope="row">${name}</th>${[
      cell({ name: 'on', value: listeners.join(', ') }),
      cell({ name: '', value: match }),
      cell({ name: 'to', value: target }),
      live('r', 'req/s', rate(figures.perSecond)),
      live('p', 'p95', ms(figures.p95Ms)),
      live('f', 'fail', percent(figures.failureShare)),
    ]}</tr>`,
  };
}
