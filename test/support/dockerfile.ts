/** A Dockerfile as data, as far as ours needs it: stages, instructions, and what the last stage is made of. */

export interface Instruction {
  readonly name: string;
  /** Lines that are continued are one; comments are gone. */
  readonly args: string;
}

export interface Stage {
  readonly name: string | null;
  readonly instructions: readonly Instruction[];
}

export interface Copied {
  /** Name of a stage; null: the folder of the build. */
  readonly from: string | null;
  readonly sources: readonly string[];
  readonly target: string;
}

export function parseDockerfile(text: string): readonly Stage[] {
  const stages: { name: string | null; instructions: Instruction[] }[] = [];
  const whole = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n/g, ' ');
  for (const line of whole.split('\n')) {
    const [, name, args] = /^\s*([A-Z]+)\s+(.+?)\s*$/.exec(line) ?? [];
    if (name === undefined || args === undefined) {
      if (line.trim() !== '') throw new Error(`not an instruction: ${line}`);
      continue;
    }
    if (name === 'FROM') stages.push({ name: / AS (\w+)$/.exec(args)?.[1] ?? null, instructions: [] });
    stages.at(-1)?.instructions.push({ name, args }); // an ARG before the first FROM belongs to no stage
  }
  return stages;
}

export function copiesOf({ instructions }: Stage): readonly Copied[] {
  return instructions
    .filter(({ name }) => name === 'COPY')
    .map(({ args }) => {
      const words = args.split(/\s+/);
      const from = words.find(word => word.startsWith('--from='))?.slice('--from='.length) ?? null;
      const paths = words.filter(word => !word.startsWith('--'));
      return { from, sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
    });
}

/** The last one of that name; fails where there is none. */
export function instructionOf({ instructions }: Stage, name: string): string {
  const found = instructions.findLast(one => one.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found.args;
}

/** The exec form: words, and no shell. */
export function wordsOf(args: string): readonly string[] {
  return JSON.parse(args) as string[];
}
