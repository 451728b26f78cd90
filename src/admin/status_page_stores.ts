/** The stores of shared rate limits; no section where there are none. */
import { type Html, html, slot } from './html.ts';
import { naturalOrder } from './natural_order.ts';
import { duration } from './status_format.ts';
import { cell, head, heading } from './status_page_table.ts';
import type { StoreView } from './status_view.ts';

const HEADS = ['store', 'address', 'state', 'in flight', 'last error'];

export function stores(all: readonly StoreView[]): Html {
  if (all.length === 0) return html``;
  const rows = all.toSorted((a, b) => naturalOrder(a.name, b.name)).map(row);
  return html`${heading('stores', 'Stores', all.length)}<table class="stores">${head(HEADS)}<tbody id="st">${slot('st', rows)}</tbody></table>`;
}

function row({ name, address, state, sinceMs, inFlight, lastError }: StoreView): Html {
  const isLost = state === 'lost';
  return html`<tr class="severity${isLost ? 1 : 3}"><th scope="row">${name}</th>${[
    cell({ name: '', value: html`<code>${address}</code>` }),
    cell({
      name: '',
      value: html`<span class="${isLost ? 'bad' : ''}">${state}</span> <i>${duration(sinceMs)}</i>`,
    }),
    cell({ name: 'in flight', value: inFlight, isNumber: true }),
    cell({ name: '', value: lastError ?? '–', isNil: lastError === null }),
  ]}</tr>`;
}
