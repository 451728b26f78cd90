/** All commands, in the order of `fairlead --help`. */
import type { Command } from './command.ts';
import { CONFIGURATION } from './commands/configuration.ts';
import { RUNNING } from './commands/running.ts';
import { SERVING } from './commands/serving.ts';
import { shellCommands } from './commands/shell.ts';

export const COMMANDS: readonly Command[] = [
  ...SERVING,
  ...CONFIGURATION,
  ...RUNNING,
  ...shellCommands(() => COMMANDS),
];

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find(command => command.name === name);
}
