/**
 * Runs a program and records its groups: a Pike machine. The threads are ordered by preference, and no two are at the
 * same instruction, so time is at most length of the text times length of the program. A group inside a repetition
 * has its last iteration. The first GROUPS_MAX groups are kept.
 */
import { GROUPS_MAX, type Program } from './regex_program.ts';

interface Threads {
  readonly at: number[];
  /** The positions saved by each thread. */
  readonly saves: (readonly number[])[];
}

/** Where a group begins and ends (not included) in a text. */
export interface Capture {
  readonly from: number;
  readonly to: number;
}

/** The whole text and the groups (null: did not take part); null if the whole text does not match. */
export function execProgram(
  program: Program,
  groups: number,
  text: string,
): readonly (Capture | null)[] | null {
  const saves = run(program, text);
  if (saves === null) return null;
  const captures: (Capture | null)[] = [{ from: 0, to: text.length }];
  for (let group = 1; group <= Math.min(groups, GROUPS_MAX); group++) {
    const from = saves[2 * group];
    const to = saves[2 * group + 1];
    captures.push(from === undefined || to === undefined ? null : { from, to });
  }
  return captures;
}

function run(program: Program, text: string): readonly number[] | null {
  const seen = new Int32Array(program.length).fill(-1);
  let threads: Threads = { at: [], saves: [] };
  follow(program, threads, seen, 0, 0, []);
  for (let position = 0; position < text.length && threads.at.length > 0; position++) {
    const next: Threads = { at: [], saves: [] };
    const code = text.charCodeAt(position);
    for (const [thread, at] of threads.at.entries()) {
      const instruction = program[at];
      if (instruction?.kind !== 'set') continue;
      if (!instruction.set.some(([from, to]) => from <= code && code <= to)) continue;
      follow(program, next, seen, at + 1, position + 1, threads.saves[thread] ?? []);
    }
    threads = next;
  }
  const winner = threads.at.findIndex(at => program[at]?.kind === 'match');
  return winner < 0 ? null : (threads.saves[winner] ?? null);
}

/** Follows instructions that take no character, depth first to keep the order of preference. */
function follow(
  program: Program,
  threads: Threads,
  seen: Int32Array,
  start: number,
  position: number,
  saves: readonly number[],
): void {
  const stack = [{ at: start, saves }];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    if (seen[item.at] === position) continue;
    seen[item.at] = position;
    const instruction = program[item.at];
    if (instruction === undefined) continue;
    switch (instruction.kind) {
      case 'jump':
        stack.push({ at: instruction.to, saves: item.saves });
        break;
      case 'split':
        stack.push(
          { at: instruction.second, saves: item.saves },
          { at: instruction.first, saves: item.saves },
        );
        break;
      case 'save': {
        const copy = [...item.saves];
        copy[instruction.slot] = position;
        stack.push({ at: item.at + 1, saves: copy });
        break;
      }
      default:
        threads.at.push(item.at);
        threads.saves.push(item.saves);
    }
  }
}
