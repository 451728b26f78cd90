/**
 * What each failure reason means, how to find its cause and what to change: the sections of docs/reasons.md, which is
 * shipped with the program. That page is the only source; a test sees that each kind of the failure table has a section.
 */

import { nearestHint } from '../config/nearest.ts';
import { readPackageFile } from '../lifecycle/package_files.ts';
import { fill } from './text_table.ts';

export interface Reason {
  readonly reason: string;
  /** Title, status, blame and retry in one line. */
  readonly facts: string;
  readonly means: string;
  readonly findTheCause: string;
  readonly change: string;
}

let known: readonly Reason[] | null = null;

/** In the order of the page. */
export function allReasons(): readonly Reason[] {
  known ??= parseReasons(readPackageFile('docs/reasons.md'));
  return known;
}

export function reasonNamed(name: string): Reason | null {
  return allReasons().find(({ reason }) => reason === name) ?? null;
}

/** `unknown reason "tls_faild" (did you mean "tls_failed"?)` */
export function unknownReason(name: string): string {
  const known = allReasons().map(({ reason }) => reason);
  return `unknown reason "${name.slice(0, 64)}"${nearestHint(name, known)}`;
}

/** Each section has a line of facts and three items; another form is a mistake in the page, which the tests find. */
export function parseReasons(page: string): readonly Reason[] {
  return page
    .split(/^## /m)
    .slice(1)
    .map(section => {
      const [reason = '', facts = '', ...items] = section.trim().split(/\n\n|\n(?=- )/);
      const item = (label: string): string => {
        const start = `- **${label}:** `;
        const found = items.find(text => text.startsWith(start));
        return found === undefined ? '' : plain(found.slice(start.length));
      };
      return {
        reason,
        facts: plain(facts),
        means: item('Means'),
        findTheCause: item('Find the cause'),
        change: item('Change'),
      };
    });
}

/** Lines joined, and links as their text. */
function plain(markdown: string): string {
  return markdown.replaceAll(/\s+/g, ' ').replaceAll(/\[([^\]]+)\]\(([^)]+)\)/g, '$1');
}

const WIDTH = 100;

/** Of one request; null: it did not get that far. */
export interface ReasonNames {
  readonly listener: string | null;
  readonly route: string | null;
  readonly cluster: string | null;
  /** `10.0.0.1:80` */
  readonly endpoint: string | null;
}

/**
 * For a terminal: commands and keys stay in backticks. With the names of a request they are its own: `routes.api` for
 * `routes.*`, its endpoint for ENDPOINT. Names and endpoints come from the configuration, so a command is safe to copy.
 */
export function renderReason(
  { reason, facts, means, findTheCause, change }: Reason,
  names: ReasonNames | null = null,
): string {
  const part = (label: string, text: string) => `${label}\n${wrapped(named(text, names), '  ')}`;
  return [
    wrapped(`${reason}: ${facts}`, ''),
    part('What it means', means),
    part('How to find the cause', findTheCause),
    wrapped(
      `Recent ones: /requests?reason=${reason} of the admin address; then fairlead explain --request ID`,
      '  ',
    ),
    part('What to change', change),
    '',
  ].join('\n');
}

function named(text: string, names: ReasonNames | null): string {
  if (names === null) return text;
  const { listener, route, cluster, endpoint } = names;
  const isHostAndPort = endpoint !== null && /^[\w.:[\]-]+:\d+$/.test(endpoint);
  const replacements = [
    ['listeners.*.', listener === null ? null : `listeners.${listener}.`],
    ['routes.*.', route === null ? null : `routes.${route}.`],
    ['clusters.*.', cluster === null ? null : `clusters.${cluster}.`],
    ['ENDPOINT', isHostAndPort ? endpoint : null],
  ] as const;
  return replacements.reduce((all, [from, to]) => (to === null ? all : all.replaceAll(from, () => to)), text);
}

/** What is in backticks is one word: a command must be copied whole. */
const WORD = /(?:`[^`]*`|[^\s`])+/g;

/** Lines of at most `WIDTH` characters. */
export function wrapped(text: string, indent: string): string {
  const words = [...text.matchAll(WORD)].map(([word]) => word);
  return fill(words, WIDTH - indent.length)
    .map(line => indent + line)
    .join('\n');
}

/** The names, for a list under an unknown one. */
export function reasonList(): string {
  return wrapped(
    allReasons()
      .map(({ reason }) => reason)
      .join(', '),
    '  ',
  );
}
