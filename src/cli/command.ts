/**
 * The table of commands: what a command is called, what it takes and what it does. Help, parsing, suggestions, shell
 * completion and the man page are all made from it, so a new command or option is one entry in `commands/`.
 *
 * The table itself loads no command: `run` imports its module when it is called.
 */
import type { Signals } from '../lifecycle/signals.ts';

/** What a shell may offer for a value: names of files, a list of words, or nothing. */
export type Completion = 'file' | readonly string[];

export interface Option {
  /** Without dashes: `client-ip`. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** What stands for the value in help: `FILE`. Absent: the option is a switch. */
  readonly value?: string;
  readonly complete?: Completion;
  /** The option may be given more than once. */
  readonly repeatable?: true;
  /** The value when the option is absent. */
  readonly default?: string;
  /** What it does, in a sentence or two without a full stop at the end. */
  readonly description: string;
}

interface Positional {
  /** In capitals, as help shows it: `URL`. */
  readonly name: string;
  readonly optional?: true;
  readonly complete?: Completion;
}

interface Example {
  readonly command: string;
  /** What it shows, after a comma in prose or beside it in help. */
  readonly shows: string;
}

/** The words after the command, checked against its entry. */
interface Call {
  readonly values: Values;
  readonly positionals: readonly string[];
  readonly signals: Signals;
}

/** The values of options, by name. A name that the entry of the command does not list is a bug. */
export interface Values {
  flag(name: string): boolean;
  text(name: string): string | null;
  texts(name: string): readonly string[];
}

export interface Command {
  readonly name: string;
  /** One line of the overview, without a full stop at the end. */
  readonly summary: string;
  /** Paragraphs of the command's own help, after the summary. */
  readonly details?: readonly string[];
  /** Optional ones come last. */
  readonly positionals: readonly Positional[];
  readonly options: readonly Option[];
  readonly examples: readonly [Example, ...Example[]];
  /** Resolves to the exit code (`EXIT`). Throws `UsageError` for words that do not go together. */
  run(call: Call): Promise<number>;
}
