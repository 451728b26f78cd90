/**
 * Compiles a parsed expression to a program for an automaton (Thompson's construction; R. Cox, "Regular Expression
 * Matching: the Virtual Machine Approach", 2009). An instruction that is not a jump, split or save takes one
 * character and continues at the next instruction.
 */
import { type CharSet, type RegexNode, RegexSyntaxError } from './regex_parser.ts';

export type Instruction =
  | { readonly kind: 'set'; readonly set: CharSet }
  /** Continues at both targets; the first one is preferred. */
  | { readonly kind: 'split'; readonly first: number; readonly second: number }
  | { readonly kind: 'jump'; readonly to: number }
  | { readonly kind: 'save'; readonly slot: number }
  | { readonly kind: 'match' };

export type Program = readonly Instruction[];

/**
 * Maximum of instructions; `(a{1000}){1000}` would need a million. The time of a match is at most this times the
 * length of the text.
 */
export const PROGRAM_LENGTH_MAX = 1_024;

/** Number of groups that are kept: a rewrite can only name `$1` to `$9`. */
export const GROUPS_MAX = 9;

type Draft = { kind: 'split'; first: number; second: number } | { kind: 'jump'; to: number };

export function compileProgram(node: RegexNode): Program {
  const program: Instruction[] = [];
  emit(node, program);
  program.push({ kind: 'match' });
  return program;
}

function emit(node: RegexNode, program: Instruction[]): void {
  if (program.length >= PROGRAM_LENGTH_MAX) throw new RegexSyntaxError('the pattern repeats too much');
  switch (node.kind) {
    case 'set':
      program.push({ kind: 'set', set: node.set });
      return;
    case 'sequence':
      for (const part of node.nodes) emit(part, program);
      return;
    case 'choice':
      emitChoice(node.nodes, program);
      return;
    case 'repeat':
      emitRepeat(node, program);
      return;
    case 'group': {
      const saved = node.index !== null && node.index <= GROUPS_MAX ? node.index : null;
      if (saved !== null) program.push({ kind: 'save', slot: 2 * saved });
      emit(node.node, program);
      if (saved !== null) program.push({ kind: 'save', slot: 2 * saved + 1 });
    }
  }
}

/** split, first, jump to the end, split, second, jump to the end, ..., last */
function emitChoice(nodes: readonly RegexNode[], program: Instruction[]): void {
  const jumps: Draft[] = [];
  for (const [at, part] of nodes.entries()) {
    if (at === nodes.length - 1) {
      emit(part, program);
      break;
    }
    const split: Draft = { kind: 'split', first: program.length + 1, second: 0 };
    program.push(split);
    emit(part, program);
    const jump: Draft = { kind: 'jump', to: 0 };
    program.push(jump);
    jumps.push(jump);
    split.second = program.length;
  }
  for (const jump of jumps) if (jump.kind === 'jump') jump.to = program.length;
}

type Repeat = Extract<RegexNode, { kind: 'repeat' }>;

/** `a{2,}` is a a a*; `a{2,4}` is a a (a (a)?)?. */
function emitRepeat({ node, min, max, lazy }: Repeat, program: Instruction[]): void {
  for (let count = 0; count < min; count++) {
    const before = program.length;
    emit(node, program);
    if (program.length === before) break; // `(?:)` is empty, however often it is repeated
  }
  const splits: Draft[] = [];
  const splitHere = () => {
    const split: Draft = { kind: 'split', first: program.length + 1, second: program.length + 1 };
    program.push(split);
    splits.push(split);
  };
  if (max === Number.POSITIVE_INFINITY) {
    const loopAt = program.length;
    splitHere();
    emit(node, program);
    program.push({ kind: 'jump', to: loopAt });
  } else {
    for (let count = min; count < max; count++) {
      splitHere();
      emit(node, program);
    }
  }
  for (const split of splits) {
    if (split.kind !== 'split') continue;
    if (lazy) split.first = program.length;
    else split.second = program.length;
  }
}
