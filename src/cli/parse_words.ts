/** Reads the words after a command by its entry in the table. What does not fit is a `UsageError`. */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { nearestHint } from '../config/nearest.ts';
import type { Command, Option, Values } from './command.ts';

/** Words on the command line that do not make sense together. The message is for the person who wrote them. */
export class UsageError extends Error {}

interface Parsed {
  readonly values: Values;
  readonly positionals: readonly string[];
}

/** Throws `UsageError`. */
export function parseWords(command: Command, words: readonly string[]): Parsed {
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(command.options.map(option => [option.name, typeOf(option)])),
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = command.options.find(({ name }) => name === token.name);
    if (option === undefined)
      throw new UsageError(unknownOption(command, token.rawName, words[token.index] ?? ''));
    const value = wordOf(option, token);
    given.set(option.name, option.repeatable ? [...(given.get(option.name) ?? []), value] : [value]);
  }
  checkCount(command, positionals);
  return { values: new GivenValues(command, given), positionals };
}

function typeOf({ value, short }: Option): { type: 'boolean' | 'string'; short?: string } {
  return { type: value === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) };
}

interface OptionToken {
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

/** A switch has the value `''`. A value that begins with a dash is far more often one that was forgotten. */
function wordOf(option: Option, { rawName, value, inlineValue }: OptionToken): string {
  if (option.value === undefined) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
    return '';
  }
  if (value === undefined || (!inlineValue && value.startsWith('-') && value !== '-'))
    throw new UsageError(`${rawName} needs a value: ${rawName} ${option.value}`);
  return value;
}

/** `-from` is read as `-f -r -o -m`; `word` is all of it. */
function unknownOption(command: Command, written: string, word: string): string {
  const known = ['--help', ...command.options.map(({ name }) => `--${name}`)];
  const long = /^-\w{2}/.test(word) ? `-${word}` : written;
  const near = long.startsWith('--') ? nearestHint(long, known) : '';
  const hint = known.includes(long) ? ` (did you mean "${long}"?)` : near;
  return `"${command.name}" has no option ${written}${hint}`;
}

function checkCount({ name, positionals, options }: Command, given: readonly string[]): void {
  const least = positionals.filter(({ optional }) => optional !== true).length;
  const most = positionals.length;
  if (given.length >= least && given.length <= most) return;
  const counts = ['no argument', 'one argument', 'two arguments', 'three arguments'];
  const takes = least === most ? counts[most] : `${counts[most]} at most`;
  const wanted = positionals.length === 0 ? '' : ` (${positionals.map(({ name: word }) => word).join(' ')})`;
  const takesFile = options.some(option => option.name === 'config');
  const hint = takesFile && given.length > most ? '; use --config FILE to name the configuration file' : '';
  throw new UsageError(`"${name}" takes ${takes}${wanted}, not ${given.length}${hint}`);
}

class GivenValues implements Values {
  readonly #options: ReadonlyMap<string, Option>;
  readonly #given: ReadonlyMap<string, readonly string[]>;

  constructor(command: Command, given: ReadonlyMap<string, readonly string[]>) {
    this.#options = new Map(command.options.map(option => [option.name, option]));
    this.#given = given;
  }

  flag(name: string): boolean {
    assert.ok(this.#option(name).value === undefined, `--${name} is no switch`);
    return this.#given.has(name);
  }
  text(name: string): string | null {
    return this.texts(name)[0] ?? null;
  }
  texts(name: string): readonly string[] {
    const { value, default: fallback } = this.#option(name);
    assert.ok(value !== undefined, `--${name} is a switch`);
    return this.#given.get(name) ?? (fallback === undefined ? [] : [fallback]);
  }

  #option(name: string): Option {
    const option = this.#options.get(name);
    assert.ok(option, `the table lists no option --${name}`);
    return option;
  }
}
