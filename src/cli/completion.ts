/** `fairlead completion SHELL`: a completion script made from the table of commands. */
import type { Command, Completion, Option } from './command.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export function isShell(word: string): word is Shell {
  return (SHELLS as readonly string[]).includes(word);
}

export function completionScript(shell: Shell, commands: readonly Command[]): string {
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return zsh(commands);
    case 'fish':
      return fish(commands);
  }
}

const HELP: Option = { name: 'help', short: 'h', description: 'Show the help of this command' };
const TOP = ['help', '--help', '--version'];

function optionsOf({ options }: Command): readonly Option[] {
  return [...options, HELP];
}

/** Both forms, as they are written: `--config -c`. */
function formsOf({ name, short }: Option): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

// ---- bash

function bash(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const values = commands.flatMap(command =>
    command.options
      .filter(({ value }) => value !== undefined)
      .map(option => {
        const patterns = formsOf(option).map(form => `${command.name}:${form}`);
        return `    ${patterns.join('|')}) ${bashOffer(option.complete)}; return ;;\n`;
      }),
  );
  const options = commands.map(command => {
    const forms = optionsOf(command).flatMap(formsOf).join(' ');
    return `    ${command.name}) options='${forms}'; _fairlead_rest() { ${bashOffer(command.positionals[0]?.complete)}; } ;;\n`;
  });
  return `# bash completion for fairlead: eval "$(fairlead completion bash)"
_fairlead() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" options=''
  _fairlead_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
  _fairlead_files() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); }
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then _fairlead_words '${[...names, ...TOP].join(' ')}'; return; fi
  case "\${COMP_WORDS[1]}:\${COMP_WORDS[COMP_CWORD - 1]}" in
    help:help) _fairlead_words '${names.join(' ')}'; return ;;
${values.join('')}  esac
  _fairlead_rest() { :; }
  case "\${COMP_WORDS[1]}" in
${options.join('')}  esac
  if [[ $cur == -* ]]; then _fairlead_words "$options"; else _fairlead_rest; fi
}
complete -F _fairlead fairlead
`;
}

function bashOffer(complete: Completion | undefined): string {
  if (complete === undefined) return ':';
  return complete === 'file' ? '_fairlead_files' : `_fairlead_words '${complete.join(' ')}'`;
}

// ---- zsh

function zsh(commands: readonly Command[]): string {
  const listed = commands.map(({ name, summary }) => `    ${single(`${name}:${summary}`)}\n`).join('');
  const cases = commands.map(command => {
    const options = optionsOf(command).map(zshOption);
    const positionals = command.positionals.map(
      ({ name, optional, complete }, at) =>
        `${single(`${at + 1}:${optional ? ':' : ''}${name}:`).slice(0, -1)}${zshOffer(complete)}'`,
    );
    return `    ${command.name}) _arguments -s ${[...options, ...positionals].join(' ')} ;;\n`;
  });
  return `#compdef fairlead
# zsh completion for fairlead: eval "$(fairlead completion zsh)" after compinit, or a file _fairlead in $fpath
_fairlead() {
  local -a commands
  commands=(
${listed}    'help:Show the help of a command'
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
    help) _describe command commands ;;
${cases.join('')}  esac
}
if [[ $funcstack[1] == _fairlead ]]; then _fairlead "$@"; else compdef _fairlead fairlead; fi
`;
}

/** `'(-c --config)'{-c,--config}'[Text]:FILE:_files'`; `*` for one that may be repeated. */
function zshOption(option: Option): string {
  const { name, short, value, repeatable, description } = option;
  const star = repeatable ? '*' : '';
  const forms =
    short === undefined
      ? `'${star}--${name}`
      : `'${star === '' ? `(-${short} --${name})` : star}'{-${short},--${name}}'`;
  const text = single(`[${description.replace(/[[\]]/g, '')}]`).slice(1, -1);
  const taken = value === undefined ? '' : `:${value.replace(/[^A-Z]/g, '')}:${zshOffer(option.complete)}`;
  return `${forms}${text}${taken}'`;
}

function zshOffer(complete: Completion | undefined): string {
  if (complete === undefined) return ' ';
  return complete === 'file' ? '_files' : `(${complete.join(' ')})`;
}

// ---- fish

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap(command => {
    const { name, summary, positionals } = command;
    const when = `-n '__fish_seen_subcommand_from ${name}'`;
    const [first] = positionals;
    const rest =
      first?.complete === undefined ? [] : [`complete -c fairlead ${when} ${fishOffer(first.complete)}`];
    return [
      `complete -c fairlead -n __fish_use_subcommand -a ${name} -d ${single(summary)}`,
      ...rest,
      ...optionsOf(command).map(option => `complete -c fairlead ${when} ${fishOption(option)}`),
    ];
  });
  const names = commands.map(({ name }) => name).join(' ');
  return `# fish completion for fairlead: fairlead completion fish | source
complete -c fairlead -f
complete -c fairlead -n __fish_use_subcommand -a help -d 'Show the help of a command'
complete -c fairlead -n __fish_use_subcommand -l version -d 'Show the version'
complete -c fairlead -n '__fish_seen_subcommand_from help' -a '${names}'
${lines.join('\n')}
`;
}

function fishOption({ name, short, value, complete, description }: Option): string {
  const letter = short === undefined ? '' : `-s ${short} `;
  const taken = value === undefined ? '' : complete === undefined ? '-x ' : `-r ${fishOffer(complete)} `;
  return `-l ${name} ${letter}${taken}-d ${single(description)}`;
}

function fishOffer(complete: Completion): string {
  return complete === 'file' ? '-F' : `-f -a '${complete.join(' ')}'`;
}

/** In single quotes, for each of the three shells. */
function single(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
