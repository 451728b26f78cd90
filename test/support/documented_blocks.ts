/** The fenced code blocks of a page under docs/, so that a test runs what a reader copies. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './proxy_under_test.ts';

export interface Section {
  /** Of the heading, without its marks. */
  readonly title: string;
  readonly text: string;
}

export function readPage(name: string): string {
  return readFileSync(join(ROOT, 'docs', name), 'utf8');
}

/** The parts of a page below its headings of the second level. */
export function sectionsOf(page: string): Section[] {
  return page
    .split(/^## /m)
    .slice(1)
    .map(part => {
      const end = part.indexOf('\n');
      return { title: part.slice(0, end), text: part.slice(end + 1) };
    });
}

/** The contents of each block in this language, in order. */
export function blocksOf(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === language)
    .map(([, , block = '']) => block);
}

/** The only one. */
export function blockOf(text: string, language: string): string {
  const [block, ...more] = blocksOf(text, language);
  if (block === undefined || more.length > 0)
    throw new Error(`${more.length + (block === undefined ? 0 : 1)} blocks in ${language} instead of one`);
  return block;
}

/** Replaces each text by its value, everywhere. One that is not there is an error: the page has changed. */
export function replaceAll(text: string, replacements: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [from, to] of Object.entries(replacements)) {
    if (!result.includes(from)) throw new Error(`the example has no ${from}`);
    result = result.replaceAll(from, to);
  }
  return result;
}
