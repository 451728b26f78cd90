/** The command line: which command, with which options, and with which exit code it ends. */
import { nearestHint } from '../config/nearest.ts';
import type { Signals } from '../lifecycle/signals.ts';
import { readVersion } from '../lifecycle/version.ts';
import type { Command } from './command.ts';
import { COMMANDS, findCommand } from './commands.ts';
import { NoConfigFile } from './config_place.ts';
import { EXIT } from './exit_codes.ts';
import { commandHelp, overview } from './help.ts';
import { parseWords, UsageError } from './parse_words.ts';

/** Runs one command and resolves to its exit code (`EXIT`). Does not reject: a defect is printed and gives `EXIT.internal`. */
export async function runCommandLine(words: readonly string[], signals: Signals): Promise<number> {
  try {
    return await run(words, signals);
  } catch (error) {
    if (error instanceof UsageError) return usageError(error.message, findCommand(words[0] ?? ''));
    if (error instanceof NoConfigFile) {
      process.stderr.write(`fairlead: ${error.message}\n`);
      return EXIT.noInput;
    }
    process.stderr.write(
      `fairlead: internal error: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
    return EXIT.internal;
  }
}

async function run([name, ...rest]: readonly string[], signals: Signals): Promise<number> {
  if (name === undefined) throw new UsageError('a command is missing');
  if (name === '--version' || name === '-v' || name === '-V') return print(`fairlead ${readVersion()}\n`);
  if (name === '--help' || name === '-h' || name === 'help') return help(rest);
  const command = findCommand(name);
  if (command === undefined) throw new UsageError(unknownCommand(name));
  if (asksForHelp(rest)) return print(commandHelp(command));
  return command.run({ ...parseWords(command, rest), signals });
}

/** `fairlead help COMMAND`; without a command the overview. */
function help([name]: readonly string[]): number {
  if (name === undefined) return print(overview(COMMANDS));
  const command = findCommand(name);
  if (command === undefined) throw new UsageError(unknownCommand(name));
  return print(commandHelp(command));
}

/** Whatever else is written, even if it is wrong. After `--` there are no options. */
function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return (end === -1 ? words : words.slice(0, end)).some(word => word === '--help' || word === '-h');
}

/** What other proxies and tools call these commands. */
const OTHER_WORDS = new Map([
  ['adapt', 'plan'],
  ['reverse-proxy', 'proxy'],
  ['serve', 'run'],
  ['start', 'run'],
  ['stop', 'drain'],
  ['test', 'check'],
  ['validate', 'check'],
]);

function unknownCommand(name: string): string {
  if (name.startsWith('-')) return `unknown option ${name}; options come after the command`;
  const ours = OTHER_WORDS.get(name);
  const hint =
    ours === undefined
      ? nearestHint(
          name,
          COMMANDS.map(command => command.name),
        )
      : ` (did you mean "${ours}"?)`;
  return `unknown command "${name}"${hint}`;
}

function usageError(message: string, command: Command | undefined): number {
  const help = command === undefined ? 'fairlead --help' : `fairlead ${command.name} --help`;
  process.stderr.write(`fairlead: ${message}\nTry: ${help}\n`);
  return EXIT.usage;
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT.ok;
}
