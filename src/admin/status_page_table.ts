/** What the tables of the status page share. */
import { type Content, type Html, html, slot } from './html.ts';

export function head(names: readonly string[]): Html {
  return html`<thead><tr>${names.map(name => html`<th scope="col">${name}</th>`)}</tr></thead>`;
}

interface Cell {
  /** Shown beside the value where the head of the table is not. */
  readonly name: string;
  readonly value: Content;
  /** Nothing worth the space of a narrow screen. */
  readonly isNil?: boolean;
  readonly isNumber?: boolean;
  /** It changes often: it is updated by itself. */
  readonly id?: string;
}

export function cell({ name, value, isNil = false, isNumber = false, id }: Cell): Html {
  const words = [isNumber ? 'num' : '', isNil ? 'nil' : ''].filter(word => word !== '').join(' ');
  const kind = words === '' ? html`` : html` class="${words}"`;
  return id === undefined
    ? html`<td data-name="${name}"${kind}>${value}</td>`
    : html`<td id="${id}" data-name="${name}"${kind}>${slot(id, value)}</td>`;
}

/** A heading with a count beside it, which changes. */
export function heading(id: string, name: string, count: Content): Html {
  return html`<h2 id="${id}">${name} <small id="${id}-n">${slot(`${id}-n`, count)}</small></h2>`;
}
