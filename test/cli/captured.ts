/** What a command of this process prints. Commands write strings; what the runner reports in between are bytes and pass. */
export interface Captured {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function captured(command: () => Promise<number>): Promise<Captured> {
  const said = { out: '', err: '' };
  const { stdout, stderr } = process;
  const write = { out: stdout.write, err: stderr.write };
  stdout.write = (text: string | Uint8Array) => {
    if (typeof text !== 'string') return write.out.call(stdout, text);
    said.out += text;
    return true;
  };
  stderr.write = (text: string | Uint8Array) => {
    if (typeof text !== 'string') return write.err.call(stderr, text);
    said.err += text;
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
