/**
 * A regular expression engine that cannot backtrack: time is at most length of the text times length of the program,
 * whatever the pattern and the text. A match always covers the whole text.
 *
 * Two machines run the same program:
 *   matches  an automaton that is made deterministic step by step as texts arrive (one table look-up per character); when
 *            its table is full, the rest of a text is run on all threads at once;
 *   exec     a Pike machine, which is slower and also returns the groups; only for rewrites.
 *
 * Errors: a pattern that cannot be compiled returns the reason as text. A text may have any length, because a limit here
 * would let a long text skip a guarded route. The listener bounds it (headBytes, uriBytes).
 */
import { type Capture, execProgram } from './regex_captures.ts';
import { parseRegex, type RegexNode, RegexSyntaxError } from './regex_parser.ts';
import { compileProgram, type Program } from './regex_program.ts';

export const PATTERN_LENGTH_MAX = 256;
/** Maximum of remembered states of the deterministic automaton. */
export const STATES_MAX = 128;

export interface LinearRegex {
  readonly pattern: string;
  readonly program: Program;
  readonly groups: number;
  /** A literal that every match begins with. */
  readonly literalPrefix: string;
  /** Number of remembered states, at most STATES_MAX. */
  readonly statesRemembered: number;
  matches(text: string): boolean;
  /** Positions of the groups; index 0 is the whole text. A null entry did not take part; null: no match. */
  exec(text: string): readonly (Capture | null)[] | null;
}

/** The compiled expression; a string is the reason why the pattern is invalid. */
export function compileRegex(pattern: string): LinearRegex | string {
  if (pattern.length > PATTERN_LENGTH_MAX)
    return `a pattern can have at most ${PATTERN_LENGTH_MAX} characters`;
  try {
    const { node, groups } = parseRegex(pattern);
    return new Machine(pattern, node, groups);
  } catch (error) {
    if (error instanceof RegexSyntaxError) return error.message;
    throw error;
  }
}

/** Compiles a pattern of the plan. Throws if it is invalid, which the schema rules out. */
export function requireRegex(pattern: string): LinearRegex {
  const regex = compileRegex(pattern);
  if (typeof regex === 'string') throw new Error(`the plan holds an invalid pattern: ${regex}`);
  return regex;
}

/** A set of threads, as one state of the deterministic automaton. */
interface State {
  readonly threads: Int32Array;
  readonly accepting: boolean;
  /** Next state by class of the character; null: not computed yet. */
  readonly next: (State | null)[];
}

class Machine implements LinearRegex {
  readonly pattern: string;
  readonly program: Program;
  readonly groups: number;
  readonly literalPrefix: string;
  /** Where classes of characters begin. Characters of one class are equivalent for the whole program. */
  readonly #cuts: readonly number[];
  readonly #classOfByte = new Uint16Array(256);
  /** For each instruction, whether it takes a character of a class; null: it takes none. */
  readonly #takes: readonly (Uint8Array | null)[];
  readonly #states = new Map<string, State>();
  readonly #start: State;
  // Scratch space of one step. Matching is synchronous, so nothing else uses it meanwhile.
  readonly #list: Int32Array;
  readonly #marks: Int32Array;
  readonly #stack: number[] = [];
  #listed = 0;
  #mark = 0;

  constructor(pattern: string, node: RegexNode, groups: number) {
    this.pattern = pattern;
    this.program = compileProgram(node);
    this.groups = groups;
    this.literalPrefix = literalPrefixOf(node);
    this.#list = new Int32Array(this.program.length);
    this.#marks = new Int32Array(this.program.length);
    this.#cuts = cutsOf(this.program);
    for (let code = 0; code < 256; code++) this.#classOfByte[code] = this.#searchClass(code);
    this.#takes = this.program.map(instruction => {
      if (instruction.kind !== 'set') return null;
      return Uint8Array.from(this.#cuts, code =>
        instruction.set.some(([from, to]) => from <= code && code <= to) ? 1 : 0,
      );
    });
    this.#beginStep();
    this.#follow(0);
    this.#start = this.#remember();
  }

  get statesRemembered(): number {
    return this.#states.size;
  }

  matches(text: string): boolean {
    let state = this.#start;
    for (let at = 0; at < text.length; at++) {
      const kind = this.#classOf(text.charCodeAt(at));
      const known = state.next[kind] ?? this.#learn(state, kind);
      if (known === null) return this.#simulate(state.threads, text, at);
      if (known.threads.length === 0) return false;
      state = known;
    }
    return state.accepting;
  }

  exec(text: string): readonly (Capture | null)[] | null {
    // The cheaper test first: a text that does not match needs no groups.
    return this.matches(text) ? execProgram(this.program, this.groups, text) : null;
  }

  /** The state after one more character; null if the table is full and does not contain it. */
  #learn(state: State, kind: number): State | null {
    this.#step(state.threads, state.threads.length, kind);
    const threads = this.#list.subarray(0, this.#listed).toSorted();
    const known = this.#states.get(threads.join());
    if (known === undefined && this.#states.size >= STATES_MAX) return null;
    const next = known ?? this.#remember();
    state.next[kind] = next;
    return next;
  }

  #remember(): State {
    const threads = this.#list.slice(0, this.#listed).sort();
    const accepting = threads.some(at => this.program[at]?.kind === 'match');
    const state = { threads, accepting, next: new Array<State | null>(this.#cuts.length).fill(null) };
    this.#states.set(threads.join(), state);
    return state;
  }

  /** Runs the rest of a text on all threads at once, without remembering states. */
  #simulate(start: Int32Array, text: string, from: number): boolean {
    const threads = new Int32Array(this.program.length);
    threads.set(start);
    let count = start.length;
    for (let at = from; at < text.length && count > 0; at++) {
      this.#step(threads, count, this.#classOf(text.charCodeAt(at)));
      count = this.#listed;
      threads.set(this.#list.subarray(0, count));
    }
    return threads.subarray(0, count).some(at => this.program[at]?.kind === 'match');
  }

  /** Computes the threads after one character, in `#list`. */
  #step(threads: Int32Array, count: number, kind: number): void {
    this.#beginStep();
    for (let thread = 0; thread < count; thread++) {
      const at = threads[thread] as number;
      if (this.#takes[at]?.[kind] === 1) this.#follow(at + 1);
    }
  }

  #beginStep(): void {
    this.#listed = 0;
    this.#mark = this.#mark === 2 ** 31 - 1 ? this.#forgetMarks() : this.#mark + 1;
  }

  #forgetMarks(): number {
    this.#marks.fill(0);
    return 1;
  }

  /** Adds what can be reached without a character. */
  #follow(start: number): void {
    const stack = this.#stack;
    stack.push(start);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (this.#marks[at] === this.#mark) continue;
      this.#marks[at] = this.#mark;
      const instruction = this.program[at];
      if (instruction === undefined) continue;
      if (instruction.kind === 'jump') stack.push(instruction.to);
      else if (instruction.kind === 'split') stack.push(instruction.second, instruction.first);
      else if (instruction.kind === 'save') stack.push(at + 1);
      else this.#list[this.#listed++] = at;
    }
  }

  #classOf(code: number): number {
    return code < 256 ? (this.#classOfByte[code] as number) : this.#searchClass(code);
  }

  #searchClass(code: number): number {
    let low = 0;
    let high = this.#cuts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#cuts[middle] as number) <= code) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function cutsOf(program: Program): readonly number[] {
  const cuts = new Set([0]);
  for (const instruction of program) {
    if (instruction.kind !== 'set') continue;
    for (const [from, to] of instruction.set) cuts.add(from).add(to + 1);
  }
  return [...cuts].sort((a, b) => a - b);
}

/** The single characters at the front of a sequence. */
function literalPrefixOf(node: RegexNode): string {
  if (node.kind !== 'sequence') return '';
  let prefix = '';
  for (const part of node.nodes) {
    const range = part.kind === 'set' && part.set.length === 1 ? part.set[0] : undefined;
    if (range === undefined || range[0] !== range[1]) break;
    prefix += String.fromCharCode(range[0]);
  }
  return prefix;
}
