/**
 * Builds markup from values of outside: everything is escaped except what is markup already.
 *
 * Markup knows which parts of it change by themselves (`slot`, `list`), so that a page that is rendered again can be
 * compared with the one before, and only the difference is sent (`page_delta.ts`).
 */

/** Markup, which is not escaped again. */
export class Html {
  readonly text: string;
  /** The markup without the content of its parts: two of the same shell have the same parts at the same places. */
  readonly shell: string;
  readonly parts: readonly Part[];
  constructor(text: string, shell = text, parts: readonly Part[] = []) {
    this.text = text;
    this.shell = shell;
    this.parts = parts;
  }
}

/** The whole content of the element with this id. */
export class Slot extends Html {
  readonly id: string;
  constructor(id: string, content: Html) {
    super(content.text, content.shell, content.parts);
    this.id = id;
  }
}

/** One element of a list; its outermost element has this id. */
export interface Item {
  readonly id: string;
  readonly html: Html;
}

/** The children of the element with this id: they come, go, and change places. */
export class List extends Html {
  readonly id: string;
  readonly items: readonly Item[];
  constructor(id: string, items: readonly Item[]) {
    super(items.map(item => item.html.text).join(''));
    this.id = id;
    this.items = items;
  }
}

export type Part = Slot | List;
export type Value = Html | string | number | readonly Html[];

/** html`<td>${value}</td>`: values are escaped, `Html` is not. */
export function html(texts: TemplateStringsArray, ...values: readonly Value[]): Html {
  let text = texts[0] ?? '';
  let shell = text;
  const parts: Part[] = [];
  for (const [at, value] of values.entries()) {
    const after = texts[at + 1] ?? '';
    for (const one of Array.isArray(value) ? (value as readonly Html[]) : [value as Html | string | number]) {
      if (one instanceof Slot || one instanceof List) {
        parts.push(one);
        text += one.text;
      } else if (one instanceof Html) {
        parts.push(...one.parts);
        text += one.text;
        shell += one.shell;
      } else {
        const escaped = escapeText(String(one));
        text += escaped;
        shell += escaped;
      }
    }
    text += after;
    shell += after;
  }
  return new Html(text, shell, parts);
}

/** The content of an element that is written as html`<td id="${id}">${slot(id, value)}</td>`. */
export function slot(id: string, content: Value): Slot {
  return new Slot(id, html`${content}`);
}

/** The content of an element that has nothing else in it. */
export function list(id: string, items: readonly Item[]): List {
  return new List(id, items);
}

function escapeText(text: string): string {
  return text.replace(/[&<>"'`]/g, character => `&#${character.charCodeAt(0)};`);
}
