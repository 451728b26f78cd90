/** Writes man/fairlead.1 from the table of commands; a test compares the file with the output of this script. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '../src/cli/command.ts';
import { COMMANDS } from '../src/cli/commands.ts';
import { exitCodes, optionName, usageLine } from '../src/cli/help.ts';

const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  ['FAIRLEAD_CONFIG', 'Configuration file, when --config is not given.'],
  ['FAIRLEAD_ADMIN', 'Admin address of the running process, when --admin is not given.'],
  ['FAIRLEAD_ADMIN_TOKEN', 'Token for that address.'],
  ['NO_COLOR', 'No colour, on a terminal either.'],
  ['NODE_DISABLE_COMPILE_CACHE', 'Keeps no compiled code for the next start.'],
];
const FILES: readonly (readonly [name: string, meaning: string])[] = [
  ['./fairlead.yaml, /etc/fairlead/fairlead.yaml', 'The configuration, in this order, unless one is named.'],
  ['$XDG_CACHE_HOME/fairlead, ~/.cache/fairlead', 'Compiled code for the next start. May be deleted.'],
];

/** In the macros of man(7). */
export function renderManPage(commands: readonly Command[]): string {
  return `.\\" Written by scripts/man_page.ts from the table of commands.
.TH FAIRLEAD 1
.SH NAME
fairlead \\- reverse proxy for HTTP/1.1, HTTP/2 and WebSocket
.SH SYNOPSIS
.B fairlead
.I COMMAND
.RI [ OPTIONS ]
.SH DESCRIPTION
One process, one YAML file. ${text('fairlead COMMAND --help shows the options of a command.')}
.SH COMMANDS
${commands.map(section).join('')}.SH "EXIT STATUS"
${exitCodes().map(entry).join('')}.SH ENVIRONMENT
${ENVIRONMENT.map(entry).join('')}.SH FILES
${FILES.map(entry).join('')}`;
}

function section(command: Command): string {
  const { name, summary, details = [], options, examples } = command;
  const taken = options.map(option => entry([optionName(option).trim(), `${option.description}.`])).join('');
  const shown = examples.map(({ command: line, shows }) => entry([line, `${shows}.`])).join('');
  const paragraphs = [`${summary}.`, ...details].map(paragraph => `.PP\n${text(paragraph)}\n`).join('');
  return `.SS "${text(name)}"\n.B ${text(usageLine(command))}\n${paragraphs}${taken}.PP\nExamples:\n${shown}`;
}

function entry([name, meaning]: readonly [string, string]): string {
  return `.TP\n.B ${text(name)}\n${text(meaning)}\n`;
}

/** Backslashes and dashes as they are; a dot or quote at the beginning of a line would be a macro. */
function text(words: string): string {
  const escaped = words.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('…', '...');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = resolve(fileURLToPath(new URL('..', import.meta.url)), 'man');
  mkdirSync(folder, { recursive: true });
  writeFileSync(resolve(folder, 'fairlead.1'), renderManPage(COMMANDS));
}
