/**
 * The position of each key and value of a YAML document, found by walking the parser's events along with their paths.
 * Also finds all duplicate keys, which the parser would report one at a time.
 */
import { COLLECTION_STYLE, EVENT_ID, getScalarValue, type parseEvents, SCALAR_STYLE } from 'js-yaml';
import { keyOf, type Path } from './path.ts';

export interface TextRange {
  readonly start: number;
  readonly end: number; // after start
}
export interface SourcePosition {
  readonly key: TextRange | null;
  readonly value: TextRange;
}

interface Duplicate {
  readonly path: Path;
  readonly key: TextRange;
  readonly first: TextRange;
}

type YamlEvent = ReturnType<typeof parseEvents>[number];

export class SourcePositions {
  readonly duplicates: Duplicate[] = [];
  /** Keys that would change the prototype of an object. */
  readonly prototypes: Path[] = [];
  readonly #source: string;
  readonly #events: readonly YamlEvent[];
  readonly #places = new Map<string, SourcePosition>();
  /** Path of an alias, or of a value that stands elsewhere in the text (`inherit`), with the path of the text for it. */
  readonly #aliases = new Map<string, Path>();
  readonly #inherited = new Map<string, Path>();
  readonly #anchors = new Map<string, Path>();
  #at = 1; // after DOCUMENT

  constructor(events: readonly YamlEvent[], source: string) {
    this.#source = source;
    this.#events = events;
    this.#visit([], null);
    this.#anchors.clear();
  }

  /**
   * Null if the text does not contain the path. What an alias inserts has the position of its anchor, and an inherited value
   * that of the text that it comes from.
   */
  find(path: Path): SourcePosition | null {
    const direct = this.#places.get(keyOf(path));
    if (direct !== undefined || this.#aliases.size === 0) return direct ?? null;
    for (let length = path.length; length > 0; length--) {
      const target = this.#aliases.get(keyOf(path.slice(0, length)));
      // An anchor comes before its alias, and nothing is inherited from what is inherited, so this ends.
      if (target !== undefined) return this.find([...target, ...path.slice(length)]);
    }
    return null;
  }

  /** The value at `path` is not written there: it comes from `from`. */
  inherit(path: Path, from: Path): void {
    this.#inherited.set(keyOf(path), from);
    this.#aliases.set(keyOf(path), from);
  }

  /** Where an inherited value is written; null: it is not inherited. */
  sourceOf(path: Path): Path | null {
    if (this.#inherited.size === 0 || this.#places.has(keyOf(path))) return null;
    for (let length = path.length; length > 0; length--) {
      const from = this.#inherited.get(keyOf(path.slice(0, length)));
      if (from !== undefined) return [...from, ...path.slice(length)];
    }
    return null;
  }

  /** Returns the index after what was visited. */
  #visit(path: Path, key: TextRange | null): number {
    const event = this.#events[this.#at++];
    if (event === undefined) return 0;
    const range = this.#rangeOf(event, key);
    this.#places.set(keyOf(path), { key, value: range });
    if (event.type === EVENT_ID.ALIAS) {
      const target = this.#anchors.get(this.#source.slice(event.anchorStart, event.anchorEnd));
      if (target !== undefined) this.#aliases.set(keyOf(path), target);
      return range.end;
    }
    if ('anchorStart' in event && event.anchorStart >= 0) {
      this.#anchors.set(this.#source.slice(event.anchorStart, event.anchorEnd), path);
    }
    if (event.type !== EVENT_ID.SEQUENCE && event.type !== EVENT_ID.MAPPING) return range.end;
    const isSequence = event.type === EVENT_ID.SEQUENCE;
    const inside = isSequence
      ? this.#visitItems(path, event.start + 1)
      : this.#visitPairs(path, event.start + 1);
    if (event.style !== COLLECTION_STYLE.FLOW) return inside;
    const closing = this.#source.indexOf(isSequence ? ']' : '}', inside);
    if (closing < 0 || range === key) return inside;
    this.#places.set(keyOf(path), { key, value: { start: event.start, end: closing + 1 } });
    return closing + 1;
  }

  #visitItems(path: Path, start: number): number {
    let end = start;
    for (let index = 0; !this.#closes(); index++) end = Math.max(end, this.#visit([...path, index], null));
    this.#at++;
    return end;
  }

  #visitPairs(path: Path, start: number): number {
    const seen = new Map<string, TextRange>();
    let end = start;
    while (!this.#closes()) {
      const event = this.#events[this.#at];
      const keyPath = [...path, '\u0001']; // a key may be a collection in YAML; the constructor refuses it
      this.#visit(keyPath, null);
      const range = this.#places.get(keyOf(keyPath))?.value ?? { start: 0, end: 1 };
      const name = event?.type === EVENT_ID.SCALAR ? keyName(this.#source, event) : '';
      const first = seen.get(name);
      if (first === undefined) seen.set(name, range);
      else this.duplicates.push({ path: [...path, name], key: range, first });
      if (name === '__proto__') this.prototypes.push([...path, name]);
      end = Math.max(end, range.end, this.#visit([...path, name], range));
    }
    this.#at++;
    return end;
  }

  #closes(): boolean {
    const event = this.#events[this.#at];
    return event === undefined || event.type === EVENT_ID.POP;
  }

  #rangeOf(event: YamlEvent, key: TextRange | null): TextRange {
    const nowhere = key ?? { start: 0, end: 1 };
    switch (event.type) {
      case EVENT_ID.SCALAR: {
        if (event.valueStart < 0) return nowhere; // nothing is written
        const quoted =
          event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED ? 1 : 0;
        const start = Math.max(0, event.valueStart - quoted);
        return { start, end: Math.max(start + 1, event.valueEnd + quoted) };
      }
      case EVENT_ID.ALIAS:
        return { start: event.anchorStart - 1, end: event.anchorEnd };
      case EVENT_ID.SEQUENCE:
      case EVENT_ID.MAPPING: {
        const lineEnd = this.#source.slice(event.start, event.start + 1_000).search(/[\r\n]/);
        const end = lineEnd < 0 ? this.#source.length : event.start + lineEnd;
        // A block that begins on a later line is shown at its key.
        if (key !== null && /[\r\n]/.test(this.#source.slice(key.end, event.start))) return key;
        return { start: event.start, end: Math.max(event.start + 1, end) };
      }
      default:
        return nowhere;
    }
  }
}

/** The key as the constructor makes it: a plain `1.0` becomes the number 1, and then the string `1`. */
function keyName(source: string, event: Extract<YamlEvent, { type: typeof EVENT_ID.SCALAR }>): string {
  const text = getScalarValue(source, event);
  if (event.style !== SCALAR_STYLE.PLAIN || event.tagStart >= 0) return text;
  if (text === '' || text === '~' || /^null$/i.test(text)) return 'null';
  if (/^[-+.\d]/.test(text) && text.trim() !== '' && !Number.isNaN(Number(text))) return String(Number(text));
  return text;
}
