/** What a command of this process prints, for commands that end in the turn in which they begin: the runner writes in others. */
export interface Captured {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function captured(command: () => Promise<number>): Promise<Captured> {
  const said = { out: '', err: '' };
  const { stdout, stderr } = process;
  const write = { out: stdout.write, err: stderr.write };
  stdout.write = (text: unknown) => {
    said.out += String(text);
    return true;
  };
  stderr.write = (text: unknown) => {
    said.err += String(text);
    return true;
  };
  try {
    const code = await command();
    return { code, ...said };
  } finally {
    stdout.write = write.out;
    stderr.write = write.err;
  }
}
