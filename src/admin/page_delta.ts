/**
 * What has changed between two renderings of a page, in the form that `status_page_script.ts` applies.
 *
 * Cost: one comparison of strings for each part. A part whose shell is the same is looked into; any other is sent whole.
 */
import { Html, type Item, List, type Part, type Slot } from './html.ts';

/**
 * `[id, html]`: the new content of an element. `[id, html, 1]`: the new element, an item of a list. `[id, order, html]`: the
 * ids of all items of a list in their order, with the items that are new.
 */
export type Change =
  | readonly [id: string, html: string]
  | readonly [id: string, html: string, outer: 1]
  | readonly [id: string, order: readonly string[], html: string];

/** The changes that turn `was` into `is`. Both are the parts of the same page. */
export function changesBetween(was: readonly Part[], is: readonly Part[]): Change[] {
  const found: Change[] = [];
  compareParts(was, is, found);
  return found;
}

/** All parts as they are, for somebody whose page is not known. */
export function wholeOf(parts: readonly Part[]): Change[] {
  return parts.map(({ id, text }) => [id, text]);
}

function compareParts(was: readonly Part[], is: readonly Part[], found: Change[]): void {
  for (const [at, part] of is.entries()) {
    const before = was[at];
    if (part instanceof List) compareLists(before, part, found);
    else compareSlots(before, part, found);
  }
}

function compareSlots(was: Part | undefined, is: Slot, found: Change[]): void {
  if (was === undefined || was instanceof List || was.shell !== is.shell) found.push([is.id, is.text]);
  else compareParts(was.parts, is.parts, found);
}

function compareLists(was: Part | undefined, is: List, found: Change[]): void {
  const before = new Map((was instanceof List ? was.items : []).map(item => [item.id, item.html]));
  const isSame = was instanceof List && sameOrder(was.items, is.items);
  if (!isSame) {
    const fresh = is.items.filter(({ id }) => !before.has(id)).map(item => item.html.text);
    found.push([is.id, is.items.map(({ id }) => id), fresh.join('')]);
  }
  for (const { id, html } of is.items) {
    const old = before.get(id);
    if (old instanceof Html) compareItems(id, old, html, found);
  }
}

function compareItems(id: string, was: Html, is: Html, found: Change[]): void {
  if (was.shell !== is.shell) found.push([id, is.text, 1]);
  else compareParts(was.parts, is.parts, found);
}

function sameOrder(was: readonly Item[], is: readonly Item[]): boolean {
  return was.length === is.length && is.every(({ id }, at) => was[at]?.id === id);
}
