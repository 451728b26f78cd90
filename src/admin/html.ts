/**
 * Builds markup from values of outside: everything is escaped except what is markup already.
 *
 * Markup knows which parts of it change by themselves (`slot`, `list`), so that a page that is rendered again can be
 * compared with the one before, and only the difference is sent (`page_delta.ts`).
 */

/** Markup, which is not escaped again. */
export class Html {
  /** Constant text and the parts that change, in turns: text comes first and last. */
  readonly chunks: readonly (string | Part)[];
  constructor(text: string | readonly (string | Part)[]) {
    this.chunks = typeof text === 'string' ? [text] : text;
  }

  get text(): string {
    let text = '';
    for (const chunk of this.chunks) text += typeof chunk === 'string' ? chunk : chunk.text;
    return text;
  }
}

/** The whole content of the element with this id. */
export class Slot {
  readonly id: string;
  readonly content: Html;
  constructor(id: string, content: Html) {
    this.id = id;
    this.content = content;
  }
  get text(): string {
    return this.content.text;
  }
}

/** One element of a list; its outermost element has this id. */
export interface Item {
  readonly id: string;
  readonly html: Html;
}

/** The children of the element with this id: they come, go, and change places. */
export class List {
  readonly id: string;
  readonly items: readonly Item[];
  constructor(id: string, items: readonly Item[]) {
    this.id = id;
    this.items = items;
  }
  get text(): string {
    return this.items.map(item => item.html.text).join('');
  }
}

export type Part = Slot | List;
type Value = Html | Part | string | number;
export type Content = Value | readonly (Html | Part)[];

/** html`<td>${value}</td>`: values are escaped, markup is not. */
export function html(texts: TemplateStringsArray, ...values: readonly Content[]): Html {
  const chunks: (string | Part)[] = [];
  let text = texts[0] ?? '';
  const add = (value: Value): void => {
    if (value instanceof Html) for (const chunk of value.chunks) addChunk(chunk);
    else addChunk(typeof value === 'object' ? value : escapeText(String(value)));
  };
  const addChunk = (chunk: string | Part): void => {
    if (typeof chunk === 'string') text += chunk;
    else {
      chunks.push(text, chunk);
      text = '';
    }
  };
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as Content;
    if (Array.isArray(value)) for (const one of value) add(one);
    else add(value as Value);
    text += texts[at + 1] ?? '';
  }
  chunks.push(text);
  return new Html(chunks);
}

/** The content of an element that is written as html`<td id="${id}">${slot(id, value)}</td>`. */
export function slot(id: string, content: Content): Slot {
  return new Slot(id, content instanceof Html ? content : html`${content}`);
}

/** The content of an element that has nothing else in it. */
export function list(id: string, items: readonly Item[]): List {
  return new List(id, items);
}

function escapeText(text: string): string {
  return !/[&<>"'`]/.test(text)
    ? text
    : text.replace(/[&<>"'`]/g, character => `&#${character.charCodeAt(0)};`);
}
