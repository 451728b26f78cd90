/**
 * What has changed between two renderings of a page, in the form that `status_page_script.ts` applies.
 *
 * Cost: one comparison of strings for each part. A part whose shell is the same is looked into; any other is sent whole.
 */
import { type Html, type Item, List, type Part, Slot } from './html.ts';

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
  for (const [at, part] of is.entries()) comparePart(was[at], part, found);
}

function comparePart(was: Part | undefined, is: Part, found: Change[]): void {
  if (is instanceof List) compareLists(was instanceof List ? was : null, is, found);
  else if (was instanceof Slot && haveSameShell(was.content, is.content))
    compareInside(was.content, is.content, found);
  else found.push([is.id, is.text]);
}

/** Everything but the content of the parts is the same, so that the parts are as well, each at its place. */
function haveSameShell(was: Html, is: Html): boolean {
  const { chunks } = was;
  return (
    chunks.length === is.chunks.length &&
    is.chunks.every((chunk, at) => typeof chunk !== 'string' || chunk === chunks[at])
  );
}

function compareInside(was: Html, is: Html, found: Change[]): void {
  for (const [at, chunk] of is.chunks.entries())
    if (typeof chunk !== 'string') comparePart(was.chunks[at] as Part, chunk, found);
}

function compareLists(was: List | null, is: List, found: Change[]): void {
  const before = new Map(was?.items.map(item => [item.id, item.html]));
  if (was === null || !haveSameOrder(was.items, is.items)) {
    const fresh = is.items.filter(({ id }) => !before.has(id)).map(item => item.html.text);
    found.push([is.id, is.items.map(({ id }) => id), fresh.join('')]);
  }
  for (const { id, html } of is.items) {
    const old = before.get(id);
    if (old === undefined) continue;
    if (haveSameShell(old, html)) compareInside(old, html, found);
    else found.push([id, html.text, 1]);
  }
}

function haveSameOrder(was: readonly Item[], is: readonly Item[]): boolean {
  return was.length === is.length && is.every(({ id }, at) => was[at]?.id === id);
}
