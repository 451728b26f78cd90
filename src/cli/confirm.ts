/** Asks a person at a terminal for a yes. */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** A person is asked only if both ends are a terminal: a script could not answer. */
export function isTerminal(...streams: readonly { readonly isTTY?: boolean }[]): boolean {
  return streams.every(({ isTTY }) => isTTY === true);
}

/** Anything but `y` or `yes` is a no, also the end of the input. */
export function confirm(question: string, input: Readable, output: Writable): Promise<boolean> {
  const lines = createInterface({ input, output });
  return new Promise(resolve => {
    lines.question(question, given => {
      resolve(/^\s*y(?:es)?\s*$/i.test(given));
      lines.close();
    });
    lines.once('close', () => resolve(false)); // the input has ended; after an answer it changes nothing
  });
}
