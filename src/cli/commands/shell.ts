/** Commands about the command line itself. */
import type { Command } from '../command.ts';
import { UsageError } from '../parse_words.ts';

/** `commands` are all of them, this one included: it is called when the table is complete. */
export function shellCommands(commands: () => readonly Command[]): readonly Command[] {
  return [
    {
      name: 'completion',
      summary: 'Print a completion script for bash, zsh or fish',
      positionals: [{ name: 'SHELL', complete: ['bash', 'zsh', 'fish'] }],
      options: [],
      examples: [
        { command: 'fairlead completion bash > /etc/bash_completion.d/fairlead', shows: 'for every user' },
        { command: 'fairlead completion fish | source', shows: 'for this fish; bash and zsh: eval "$(…)"' },
      ],
      run: async ({ positionals: [shell = ''] }) => {
        const { completionScript, isShell, SHELLS } = await import('../completion.ts');
        if (!isShell(shell)) throw new UsageError(`completion knows ${SHELLS.join(', ')}, not "${shell}"`);
        process.stdout.write(completionScript(shell, commands()));
        return 0;
      },
    },
  ];
}
