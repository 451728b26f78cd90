/**
 * Whether some text matches two expressions at once: a walk over pairs of instructions, one of each program. Exact,
 * and at most as long as the product of the two programs (about a million pairs). Only for checking a configuration.
 */
import type { CharSet } from './regex_parser.ts';
import type { Instruction, Program } from './regex_program.ts';

export function canBothMatch(a: Program, b: Program): boolean {
  const seen = new Uint8Array(a.length * b.length);
  const pairs: number[] = [];
  const visit = (one: number, two: number) => {
    const pair = one * b.length + two;
    if (seen[pair] === 0) pairs.push(pair);
    seen[pair] = 1;
  };
  visit(0, 0);
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const one = Math.floor(pair / b.length);
    const two = pair % b.length;
    const first = a[one];
    const second = b[two];
    if (first === undefined || second === undefined) continue;
    const firstMoves = movesWithoutCharacter(first, one);
    const secondMoves = movesWithoutCharacter(second, two);
    if (firstMoves !== null) for (const move of firstMoves) visit(move, two);
    else if (secondMoves !== null) for (const move of secondMoves) visit(one, move);
    else if (first.kind === 'match' && second.kind === 'match') return true;
    else if (first.kind === 'set' && second.kind === 'set' && intersect(first.set, second.set)) {
      visit(one + 1, two + 1);
    }
  }
  return false;
}

/** Null: the instruction needs a character, or is the end. */
function movesWithoutCharacter(instruction: Instruction, at: number): readonly number[] | null {
  switch (instruction.kind) {
    case 'jump':
      return [instruction.to];
    case 'split':
      return [instruction.first, instruction.second];
    case 'save':
      return [at + 1];
    default:
      return null;
  }
}

function intersect(a: CharSet, b: CharSet): boolean {
  return a.some(([from, to]) => b.some(([start, end]) => from <= end && start <= to));
}
