/** `fairlead --help` and `fairlead COMMAND --help`, made from the table of commands. */
import { fill } from '../admin/text_table.ts';
import type { Command, Option } from './command.ts';
import { CONFIG_ORDER } from './config_place.ts';
import { EXIT, EXIT_MEANINGS } from './exit_codes.ts';

const WIDTH = 100;
const NAME_COLUMNS_MAX = 26;

export function overview(commands: readonly Command[]): string {
  return `fairlead: a reverse proxy for HTTP/1.1, HTTP/2 and WebSocket

Usage: fairlead COMMAND [OPTIONS]

Commands
${columns(commands.map(({ name, summary }) => [name, summary]))}
  fairlead COMMAND --help shows the options of a command, with an example.

Options
${columns([
  ['-h, --help', 'Show this text, or the help of a command'],
  ['-v, --version', 'Show the version'],
])}
Configuration file
  ${wrap(CONFIG_ORDER, 2)}

Exit codes
${columns(exitCodes())}`;
}

export function commandHelp(command: Command): string {
  const { summary, details = [], options, examples } = command;
  const paragraphs = details.map(text => `\n${wrap(text, 0)}\n`).join('');
  const shown = examples.map(({ command: line, shows }) => `  ${line}\n      ${shows}\n`).join('');
  return `Usage: ${usageLine(command)}

${wrap(`${summary}.`, 0)}
${paragraphs}
Options
${columns([...options.map(option => [optionName(option), option.description] as const), ['-h, --help', 'Show this text']])}
Examples
${shown}`;
}

/** `fairlead explain [OPTIONS] [URL]` */
export function usageLine({ name, positionals }: Command): string {
  const words = positionals.map(({ name: word, optional }) => (optional ? `[${word}]` : word));
  return ['fairlead', name, '[OPTIONS]', ...words].join(' ');
}

/** `-c, --config FILE` */
export function optionName({ name, short, value }: Option): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`;
  return short === undefined ? `    ${long}` : `-${short}, ${long}`;
}

/** `[code, meaning]`, by code. */
export function exitCodes(): [code: string, meaning: string][] {
  return Object.entries(EXIT_MEANINGS).map(([name, meaning]) => [
    String(EXIT[name as keyof typeof EXIT]),
    meaning,
  ]);
}

/** Two columns; a name that is too long stands on a line of its own. */
function columns(rows: readonly (readonly [name: string, text: string])[]): string {
  const fitting = rows.map(([name]) => name.length).filter(length => length <= NAME_COLUMNS_MAX);
  const indent = Math.max(...fitting, 0) + 4;
  return rows
    .map(([name, text]) => {
      const fits = name.length + 4 <= indent;
      const start = fits ? `  ${name}`.padEnd(indent) : `  ${name}\n${' '.repeat(indent)}`;
      return `${start}${wrap(text, indent)}\n`;
    })
    .join('');
}

/** Breaks between words; lines after the first begin with `indent` spaces. */
function wrap(text: string, indent: number): string {
  return fill(text.split(' '), WIDTH - indent).join(`\n${' '.repeat(indent)}`);
}
