/** Turns the issues of the schema into messages for people who read a file, not a program. */
import type * as z from 'zod';
import { didYouMean } from '../nearest.ts';
import type { Problem } from '../problems.ts';
import type { Document } from '../text/document.ts';
import { foreignFileHint } from '../text/foreign_file.ts';
import type { Path } from '../text/path.ts';
import { keyOf } from '../text/path.ts';
import { listed } from './leaves.ts';
import { lineToWrite } from './shape_lines.ts';
import { meaningOf } from './unknown_key.ts';

interface SchemaFinding {
  readonly problem: Problem;
  readonly path: Path;
  /** Set for an unknown key, with the keys beside it that were probably meant. */
  readonly badKey?: { readonly meant: readonly string[] };
}

type Issue = z.core.$ZodIssue;
type Branches = readonly (readonly Issue[])[];

export function schemaFindings(error: z.ZodError, document: Document): SchemaFinding[] {
  const findings = error.issues.flatMap(issue => findingsOf(issue, [], document));
  // `adress` says everything: that `address` is missing follows from it.
  const meant = new Set(
    findings.flatMap(({ path, badKey }) =>
      (badKey?.meant ?? []).map(key => keyOf([...path.slice(0, -1), key])),
    ),
  );
  return findings.filter(
    ({ path, badKey }) => badKey !== undefined || !meant.has(keyOf(path)) || document.at(path) !== undefined,
  );
}

/** `base` is the path of a union, whose issues have relative paths. */
function findingsOf(issue: Issue, base: Path, document: Document): SchemaFinding[] {
  const path: Path = [...base, ...(issue.path as Path)];
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => unknownKey(key, path, document));
  if (issue.code === 'invalid_key')
    return issue.issues.map(({ message }) => badName(message, path, document));
  const value = document.at(path);
  if (value === undefined) return [missing(path, document)];
  if (issue.code === 'invalid_union') {
    const branch = chooseBranch(issue.errors, value);
    if (branch !== null) return branch.flatMap(inner => findingsOf(inner, path, document));
  }
  const shown = path.length === 0 ? 'the file' : document.show(path);
  const near = typeof value === 'string' ? didYouMean(value, optionsOf(issue)) : undefined;
  const shape = path.length === 0 ? foreignFileHint(document.source) : lineToWrite(path, value);
  const hint = near ?? (isAboutShape(issue) ? shape : undefined);
  return [
    {
      path,
      problem: document.problem(
        'error',
        path,
        `${shown}: ${messageOf(issue, value, document.sourceOf(path))}`,
        { hint },
      ),
    },
  ];
}

/** The value has the wrong type, whatever is in it. */
function isAboutShape(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_union';
}

function missing(path: Path, document: Document): SchemaFinding {
  const message = `the key "${String(path.at(-1))}" is missing ${where(path.slice(0, -1), document)}`;
  const hint = path.length === 1 && path[0] === 'version' ? 'begin the file with version: 1' : undefined;
  return { path, problem: document.problem('error', path, message, { at: 'key', hint }) };
}

function unknownKey(key: string, path: Path, document: Document): SchemaFinding {
  const place = [...path, key];
  const { hint, meant } = meaningOf(key, path, document);
  const problem = document.problem('error', place, `unknown key "${key}" ${where(path, document)}`, {
    at: 'key',
    hint,
  });
  return { path: place, problem, badKey: { meant } };
}

function badName(message: string, path: Path, document: Document): SchemaFinding {
  const shown = document.show(path.slice(0, -1));
  const problem = document.problem('error', path, `${shown}: ${message}`, { at: 'key' });
  return { path, problem, badKey: { meant: [String(path.at(-1))] } };
}

function where(path: Path, document: Document): string {
  return path.length === 0 ? 'at the top level' : `in ${document.show(path)}`;
}

const TYPES: Readonly<Record<string, string>> = {
  object: 'a mapping (key: value)',
  record: 'a mapping (name: ...)',
  array: 'a list',
  string: 'a string',
  boolean: 'true or false',
};

function messageOf(issue: Issue, value: unknown, source: string | null): string {
  const branches = issue.code === 'invalid_union' ? issue.errors : [[issue]];
  const wantsText = branches.some(([first]) => first !== undefined && isAboutText(first));
  const isBare = typeof value === 'number' || typeof value === 'boolean';
  const own = branches.flat().find(inner => isAboutText(inner) && !inner.message.startsWith(MESSAGE_OF_ZOD));
  if (own !== undefined && isBare) return own.message;
  if (wantsText && isBare) return `expected a string, found ${value}; quote it: "${source ?? value}"`;
  // `to: {path}` is a mapping to YAML.
  if (
    branches.every(([first]) => first !== undefined && isAboutText(first)) &&
    typeof value === 'object' &&
    source !== null &&
    /^[[{][^"'\r\n]{0,200}[\]}]$/.test(source)
  )
    return `expected a string, found ${foundIs(value)}; quote it: "${source}"`;
  if (issue.code !== 'invalid_type' && issue.code !== 'invalid_value' && issue.code !== 'invalid_union') {
    return issue.message;
  }
  const what = expectedOf(branches);
  return value === null
    ? `the value is missing; expected ${what}`
    : `expected ${what}, found ${foundIs(value)}`;
}

/** Other messages are those of the setting itself. */
const MESSAGE_OF_ZOD = 'Invalid input';

function isAboutText(issue: Issue): boolean {
  return issue.code === 'invalid_type' && issue.expected === 'string';
}

/** The allowed words. */
function optionsOf(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code === 'invalid_union') return issue.errors.flat().flatMap(optionsOf);
  const { options = [] } = issue.code === 'custom' ? (issue.params ?? {}) : {};
  return Array.isArray(options) ? options.map(String) : [];
}

function expectedOf(branches: Branches): string {
  const parts = branches.flatMap(([first]) => {
    if (first?.code === 'invalid_value') return listed(first.values.map(String));
    if (first?.code === 'invalid_type') return TYPES[first.expected] ?? first.expected;
    return first?.message.replace(/^expected /, '') ?? [];
  });
  return listed([...new Set(parts)]);
}

function foundIs(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? 'a long string' : text;
}

/**
 * The alternative of a union that was meant: the one whose issues are not about the value as a whole; of several, the
 * one with the fewest. Null if none fits better than the others.
 */
function chooseBranch(branches: Branches, value: unknown): readonly Issue[] | null {
  if (value === null) return null;
  const isAboutWhole = (issue: Issue): boolean => {
    return issue.path.length === 0 && issue.code !== 'unrecognized_keys';
  };
  const inside = branches.filter(issues => !issues.some(isAboutWhole));
  const [first, ...others] = inside;
  if (first !== undefined) return others.reduce((a, b) => (b.length < a.length ? b : a), first);
  if (typeof value !== 'string') return null;
  return branches.find(issues => issues.every(({ code }) => code === 'custom')) ?? null;
}
