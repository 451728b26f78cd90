/**
 * Parses the text of a configuration, with the position of each key and value in the text.
 *
 * YAML 1.2 core schema through js-yaml. One document; duplicate keys are errors; size, nesting, aliases and their expansion
 * are limited. `variables.ts` inserts variables.
 */
import { constructFromEvents, parseEvents, YAMLException } from 'js-yaml';
import type { Problem } from '../problems.ts';
import { foreignFileHint } from './foreign_file.ts';
import { type Path, valueAt } from './path.ts';
import { writtenPath } from './short_forms.ts';
import { type SourcePosition, SourcePositions, type TextRange } from './source_positions.ts';
import { type Environment, expandVariables } from './variables.ts';
import { yamlHint } from './yaml_hints.ts';

export const SOURCE_BYTES_MAX = 4 * 1_024 * 1_024;
const DEPTH_MAX = 32;
const ALIASES_MAX = 100;

export interface ProblemOptions {
  /** The part to point at; the value unless stated otherwise. */
  readonly at?: 'key' | 'value';
  readonly hint?: string | undefined;
}

export class Document {
  readonly file: string;
  readonly source: string;
  readonly value: unknown;
  readonly #places: SourcePositions | null;
  readonly #lineStarts: readonly number[];

  constructor(file: string, source: string, value: unknown, places: SourcePositions | null) {
    this.file = file;
    this.source = source;
    this.value = value;
    this.#places = places;
    this.#lineStarts = lineStarts(source);
  }

  /** The same text with another value: `inherited` has, for each value that is not written there, where it is written. */
  withInherited(value: unknown, inherited: Iterable<readonly [path: Path, from: Path]>): Document {
    for (const [path, from] of inherited) this.#places?.inherit(path, from);
    return new Document(this.file, this.source, value, this.#places);
  }

  /** Where an inherited value is written; null: it is not inherited. */
  inheritedFrom(path: Path): Path | null {
    return this.#places?.sourceOf(path) ?? null;
  }

  /** A path that is not in the text is shown at its nearest parent. */
  problem(severity: Problem['severity'], path: Path, message: string, options: ProblemOptions = {}): Problem {
    return this.problemAt(severity, this.#rangeOf(path, options.at ?? 'value'), path, message, options.hint);
  }

  problemAt(
    severity: Problem['severity'],
    range: TextRange,
    path: Path,
    message: string,
    hint?: string,
  ): Problem {
    const { line, column } = this.#position(range.start);
    const lineEnd = (this.#lineStarts[line] ?? this.source.length + 1) - 1;
    const length = Math.max(1, Math.min(range.end, lineEnd) - range.start);
    const base = { severity, file: this.file, line, column, length, message, path: this.show(path) };
    const inheritedBy = this.inheritedFrom(path) === null ? {} : { inheritedBy: this.show(path.slice(0, 2)) };
    return hint === undefined ? { ...base, ...inheritedBy } : { ...base, ...inheritedBy, hint };
  }

  /** `file:line:col` of a value that is written in the text, otherwise null. */
  origin(path: Path): string | null {
    const place = this.#find(path);
    if (place === null) return null;
    const { line, column } = this.#position(place.value.start);
    return `${this.file}:${line}:${column}`;
  }

  /** A value as written in the text; null if the text does not contain it. */
  sourceOf(path: Path): string | null {
    const range = this.#find(path)?.value;
    return range === undefined ? null : this.source.slice(range.start, range.end).trim();
  }

  /** The line of a key, or of a value without a key; null if the text does not contain it. */
  line(path: Path): number | null {
    const place = this.#find(path);
    return place === null ? null : this.#position((place.key ?? place.value).start).line;
  }

  lineOf(range: TextRange): number {
    return this.#position(range.start).line;
  }

  at(path: Path): unknown {
    return valueAt(this.value, path);
  }

  /** `routes.api.match.hosts[0]`: a route is identified by its name if it has one. An inherited value by where it is written. */
  show(path: Path): string {
    return this.#written(this.inheritedFrom(path) ?? path)
      .map((part, at) => {
        if (typeof part === 'string') return at === 0 ? part : `.${part}`;
        const name = at === 1 && path[0] === 'routes' ? this.at(['routes', part, 'name']) : undefined;
        return typeof name === 'string' && /^[\w-]{1,64}$/.test(name) ? `.${name}` : `[${part}]`;
      })
      .join('');
  }

  #written(path: Path): Path {
    return writtenPath(path, inner => this.at(inner));
  }

  /** Null if the text does not contain it, neither in its long nor in a short form. */
  #find(path: Path): SourcePosition | null {
    return this.#places?.find(this.#written(path)) ?? null;
  }

  #rangeOf(longPath: Path, at: 'key' | 'value'): TextRange {
    const path = this.#written(longPath);
    for (let length = path.length; length >= 0; length--) {
      const place = this.#places?.find(path.slice(0, length)) ?? null;
      if (place === null) continue;
      // A missing key is reported at the key of the mapping that lacks it.
      return at === 'key' || length < path.length ? (place.key ?? place.value) : place.value;
    }
    return { start: 0, end: 1 };
  }

  #position(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 };
  }
}

/** A document, or null with the reason. With a document, all other problems are found too. */
interface ParsedDocument {
  readonly document: Document | null;
  readonly problems: readonly Problem[];
  /** Strings with a variable that has no value; further problems with them are not reported. */
  readonly unresolved: readonly Path[];
  /** Values from environment variables. */
  readonly fromEnvironment: ReadonlySet<string>;
}

export function parseDocument(source: string, file: string, env: Environment): ParsedDocument {
  const refuse = (start: number, message: string, hint?: string): ParsedDocument => {
    const range = { start, end: start + 1 };
    return {
      document: null,
      unresolved: [],
      fromEnvironment: new Set(),
      problems: [new Document(file, source, null, null).problemAt('error', range, [], message, hint)],
    };
  };
  if (Buffer.byteLength(source) > SOURCE_BYTES_MAX) return refuse(0, 'the file is larger than 4 MiB');
  try {
    const events = parseEvents(source, { maxDepth: DEPTH_MAX });
    // `json` allows duplicate keys; `SourcePositions` finds all of them.
    const documents = constructFromEvents(events, { source, maxAliases: ALIASES_MAX, json: true });
    if (documents.length === 0) {
      return refuse(0, 'the file is empty; it needs at least version, listeners and routes');
    }
    if (documents.length > 1) return refuse(0, 'the file has more than one YAML document');
    const places = new SourcePositions(events, source);
    const expanded = expandVariables(documents[0], env, DEPTH_MAX);
    if (typeof expanded === 'string') return refuse(0, expanded);
    const document = new Document(file, source, expanded.value, places);
    const prototypes = places.prototypes.map(path => {
      return document.problem('error', path, 'the key "__proto__" is not allowed', { at: 'key' });
    });
    const variables = variableProblems(document, expanded.problems);
    const unresolved = expanded.problems.map(({ path }) => path);
    return {
      document,
      problems: [...duplicateKeys(document, places), ...prototypes, ...variables],
      unresolved,
      fromEnvironment: expanded.values,
    };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const position = Math.min(error.mark?.position ?? 0, source.length);
    const foreign = foreignFileHint(source);
    const found = foreign === undefined ? yamlHint(error.reason, source, position) : { hint: foreign };
    return refuse(found?.position ?? position, `invalid YAML: ${error.reason}`, found?.hint);
  }
}

function duplicateKeys(document: Document, { duplicates }: SourcePositions): Problem[] {
  return duplicates.map(({ path, key, first }) => {
    const name = String(path.at(-1));
    const message = `duplicate key "${name}", first used on line ${document.lineOf(first)}`;
    return document.problemAt('error', key, path, message);
  });
}

function variableProblems(
  document: Document,
  problems: readonly { readonly path: Path; readonly message: string }[],
): Problem[] {
  return problems.map(({ path, message }) => document.problem('error', path, message));
}

/** Counts lines like editors: LF, CRLF, or a lone CR (YAML 1.2 section 5.4). */
function lineStarts(source: string): number[] {
  const starts = [0];
  for (const match of source.matchAll(/\r\n|[\r\n]/g)) starts.push(match.index + match[0].length);
  return starts;
}
