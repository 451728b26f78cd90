/**
 * The text of a configuration becomes values, with the place of each key and value in the text.
 *
 * YAML 1.2 core schema through js-yaml: duplicate keys are errors, aliases and nesting are capped. `${VAR}` is put
 * in after parsing, so that a variable can hold any text and never changes the structure.
 */
import { constructFromEvents, EVENT_ID, getScalarValue, parseEvents, YAMLException } from 'js-yaml';
import type { Problem } from './problems.ts';

export type Path = readonly (string | number)[];

const SOURCE_BYTES_MAX = 4 * 1_024 * 1_024;
const NODES_MAX = 200_000;
const DEPTH_MAX = 32;
const ALIASES_MAX = 100;

interface Span {
  readonly start: number;
  readonly end: number;
}
interface Place {
  readonly key: Span | null;
  readonly value: Span;
}

export class Document {
  readonly file: string;
  readonly source: string;
  readonly value: unknown;
  readonly #places: ReadonlyMap<string, Place>;
  readonly #lineStarts: readonly number[];

  constructor(file: string, source: string, value: unknown, places: ReadonlyMap<string, Place>) {
    this.file = file;
    this.source = source;
    this.value = value;
    this.#places = places;
    this.#lineStarts = lineStarts(source);
  }

  /** A problem at the value of a path, or at its key; a path that the text does not hold is shown at the nearest one above it. */
  problem(severity: Problem['severity'], path: Path, message: string, options: { readonly at?: 'key' | 'value'; readonly didYouMean?: string | undefined } = {}): Problem {
    const place = this.#nearest(path);
    const span = options.at === 'key' && place.key !== null ? place.key : place.value;
    const { line, column } = this.#position(span.start);
    const lineEnd = this.#lineStarts[line] ?? this.source.length + 1;
    const length = Math.max(1, Math.min(span.end, lineEnd - 1) - span.start);
    const base = { severity, file: this.file, line, column, length, message };
    return options.didYouMean === undefined ? base : { ...base, didYouMean: options.didYouMean };
  }

  /** `file:line:col` of a value that is written in the text, else null. */
  origin(path: Path): string | null {
    const place = this.#places.get(keyOf(path));
    if (place === undefined) return null;
    const { line, column } = this.#position(place.value.start);
    return `${this.file}:${line}:${column}`;
  }

  has(path: Path): boolean {
    return this.#places.has(keyOf(path));
  }

  #nearest(path: Path): Place {
    for (let length = path.length; length >= 0; length--) {
      const place = this.#places.get(keyOf(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return { key: null, value: { start: 0, end: 1 } };
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

/** A document, or why the text is none. Problems with variables come with a document, so that all others are found too. */
export function parseDocument(
  source: string,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly document: Document | null; readonly problems: readonly Problem[] } {
  if (Buffer.byteLength(source) > SOURCE_BYTES_MAX) return refuse(file, 1, 1, 'the file is larger than 4 MiB');
  try {
    const events = parseEvents(source, { maxDepth: DEPTH_MAX });
    const documents = constructFromEvents(events, { source, maxAliases: ALIASES_MAX });
    if (documents.length === 0) return refuse(file, 1, 1, 'the file is empty; the smallest configuration has version, listeners, routes and clusters');
    if (documents.length > 1) return refuse(file, 1, 1, 'the file holds more than one YAML document');
    const places = findPlaces(events, source);
    const problems: Problem[] = [];
    const raw = new Document(file, source, documents[0], places);
    const budget = { nodes: NODES_MAX };
    const value = substitute(documents[0], [], env, budget, (path, message) => problems.push(raw.problem('error', path, message)));
    if (budget.nodes < 0) return refuse(file, 1, 1, `the file holds more than ${NODES_MAX} values once its aliases are expanded`);
    return { document: new Document(file, source, value, places), problems };
  } catch (error) {
    if (error instanceof YAMLException) return refuse(file, (error.mark?.line ?? 0) + 1, (error.mark?.column ?? 0) + 1, `not YAML: ${error.reason}`);
    if (error instanceof RangeError) return refuse(file, 1, 1, 'the file is nested too deeply');
    throw error;
  }
}

function refuse(file: string, line: number, column: number, message: string): { document: null; problems: Problem[] } {
  return { document: null, problems: [{ severity: 'error', file, line, column, length: 1, message }] };
}

/** Paths may hold any character in a key: the parts are separated by one that YAML forbids. */
function keyOf(path: Path): string {
  return path.join('\u0000');
}

type YamlEvent = ReturnType<typeof parseEvents>[number];

/** Walks the events along with the paths that they stand for. What an alias brings in has no place of its own. */
function findPlaces(events: readonly YamlEvent[], source: string): Map<string, Place> {
  const places = new Map<string, Place>();
  let at = 0;
  const visit = (path: Path, key: Span | null): Span => {
    const event = events[at++];
    if (event === undefined) return { start: 0, end: 0 };
    const span = spanOf(event, source);
    places.set(keyOf(path), { key, value: span });
    if (event.type === EVENT_ID.SEQUENCE) for (let index = 0; !closes(events[at]); index++) visit([...path, index], null);
    if (event.type === EVENT_ID.MAPPING) {
      while (!closes(events[at])) {
        const keyEvent = events[at];
        const keySpan = visit([...path, '\u0001'], null); // a key may be a collection in YAML; the schema refuses it
        const name = keyEvent?.type === EVENT_ID.SCALAR ? String(getScalarValue(source, keyEvent)) : '';
        visit([...path, name], keySpan);
      }
    }
    if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) at++; // its POP
    return span;
  };
  at++; // DOCUMENT
  visit([], null);
  return places;
}

function closes(event: YamlEvent | undefined): boolean {
  return event === undefined || event.type === EVENT_ID.POP;
}

function spanOf(event: YamlEvent, source: string): Span {
  if (event.type === EVENT_ID.SCALAR) {
    const quoted = event.style === 2 || event.style === 3 ? 1 : 0;
    const start = Math.max(0, event.valueStart - quoted);
    return { start, end: Math.max(start + 1, event.valueEnd + quoted) };
  }
  if (event.type === EVENT_ID.ALIAS) return { start: event.anchorStart - 1, end: event.anchorEnd };
  if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) {
    const lineEnd = source.indexOf('\n', event.start);
    return { start: event.start, end: lineEnd < 0 ? source.length : lineEnd };
  }
  return { start: 0, end: 1 };
}

function lineStarts(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

// ---- variables

const VARIABLE = /\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

function substitute(value: unknown, path: Path, env: Readonly<Record<string, string | undefined>>, budget: { nodes: number }, report: (path: Path, message: string) => void): unknown {
  budget.nodes--;
  if (budget.nodes < 0) return null;
  if (typeof value === 'string') return value.includes('${') ? substituteText(value, path, env, report) : value;
  if (Array.isArray(value)) return value.map((item, at) => substitute(item, [...path, at], env, budget, report));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, substitute(item, [...path, key], env, budget, report)] as const);
  return Object.fromEntries(entries);
}

/** `$${X}` is a literal `${X}`. A text that is one variable alone may also stand for a number or a boolean. */
function substituteText(text: string, path: Path, env: Readonly<Record<string, string | undefined>>, report: (path: Path, message: string) => void): unknown {
  const result = text.replace(VARIABLE, (whole, escaped: string, name: string, fallback: string | undefined) => {
    if (escaped !== '') return whole.slice(1);
    const found = env[name] ?? fallback;
    if (found === undefined) report(path, `the environment variable ${name} is not set; set it, or write \${${name}:-default}`);
    return found ?? '';
  });
  const alone = /^\$\{[^}]*\}$/.test(text);
  if (alone && /^-?\d+(?:\.\d+)?$/.test(result)) return Number(result);
  return alone && /^(?:true|false)$/.test(result) ? result === 'true' : result;
}
