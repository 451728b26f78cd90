/** The listeners: where they are bound, who is connected, who was refused, and how long their certificates last. */
import { WARN_BEFORE_MS } from '../lifecycle/certificate_watch.ts';
import { type Html, html, type Item, list } from './html.ts';
import { naturalOrder } from './natural_order.ts';
import { duration } from './status_format.ts';
import { cell, head, heading } from './status_page_table.ts';
import type { ListenerView, PageView } from './status_view.ts';

const HEADS = ['listener', 'address', 'connections', 'refused in the last minute', 'certificates'];
const CERTIFICATES_MAX = 20;

type Listeners = Pick<PageView, 'listeners' | 'refusals' | 'certificates'>;

export function listeners(view: Listeners): Html {
  const rows = view.listeners
    .toSorted((a, b) => naturalOrder(a.name, b.name))
    .map(listener => item(listener, view));
  return html`${heading('listeners', 'Listeners', view.listeners.length)}<table class="listeners">${head(HEADS)}<tbody id="li">${list('li', rows)}</tbody></table>`;
}

function item(listener: ListenerView, { refusals, certificates }: Listeners): Item {
  const { name, address, tls } = listener;
  const id = `listener-${name}`;
  const refused = refusals
    .filter(one => one.listener === name)
    .map(({ cause, count }) => `${cause} ×${count}`);
  const mine = certificates.filter(one => one.listener === name);
  return {
    id,
    html: html`<tr id="${id}" class="severity${refused.length > 0 ? 1 : 3}"><th scope="row">${name}</th>${[
      cell({ name: '', value: html`<code>${address ?? 'not bound'}</code>${tls ? ' TLS' : ''}` }),
      cell({ name: 'connections', value: connections(listener), id: `${id}-c` }),
      cell({
        name: 'refused',
        value: refused.length === 0 ? 'none' : html`<span class="bad">${refused.join(', ')}</span>`,
        isNil: refused.length === 0,
        id: `${id}-r`,
      }),
      cell({
        name: '',
        value: tls ? html`${mine.slice(0, CERTIFICATES_MAX).map(certificate)}` : '–',
        isNil: !tls,
        id: `${id}-t`,
      }),
    ]}</tr>`,
  };
}

function connections({ connections: states, connectionsMax }: ListenerView): string {
  const open = Object.values(states).reduce((sum, count) => sum + count, 0);
  const kinds = Object.entries(states)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`);
  const limit = connectionsMax === null ? '' : ` of ${connectionsMax}`;
  return `${open}${limit}${kinds.length === 0 ? '' : `: ${kinds.join(', ')}`}`;
}

function certificate({ subject, leftMs, notAfter }: PageView['certificates'][number]): Html {
  const words = leftMs <= 0 ? 'expired' : `${duration(leftMs)} left`;
  const shown = leftMs < WARN_BEFORE_MS ? html`<span class="bad">${words}</span>` : html`${words}`;
  return html`<div>${subject}: ${shown} <i>(${notAfter.slice(0, 10)})</i></div>`;
}
