/** The table of commands keeps its own rules, and reading it costs next to nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS, findCommand } from '../../src/cli/commands.ts';
import { loadedBy } from './loaded_files.ts';

test('names of commands are unique, and so are the options of each', () => {
  const names = COMMANDS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, options } of COMMANDS) {
    const words = options.flatMap(option => [option.name, option.short ?? []]).flat();
    assert.equal(new Set(words).size, words.length, name);
    assert.ok(!words.includes('help') && !words.includes('h'), `${name}: help belongs to all commands`);
  }
});

test('texts are sentences without a full stop, and optional arguments come last', () => {
  for (const { name, summary, options, positionals } of COMMANDS) {
    for (const text of [summary, ...options.map(({ description }) => description)]) {
      assert.match(text, /^[A-Z]/, name);
      assert.doesNotMatch(text, /\.$/, name);
    }
    const optional = positionals.map(positional => positional.optional === true);
    assert.deepEqual(optional, optional.toSorted(), name);
  }
});

test('each example begins with its command and uses options that it has', () => {
  for (const command of COMMANDS) {
    for (const { command: line } of command.examples) {
      const [program, name, ...words] = line.split(/ [|>] /)[0]?.split(' ') ?? [];
      assert.deepEqual([program, name], ['fairlead', command.name], line);
      for (const word of words.filter(text => text.startsWith('--')))
        assert.ok(
          command.options.some(option => `--${option.name}` === word),
          `${line}: ${word}`,
        );
    }
  }
});

test('a command is found by its whole name only', () => {
  assert.equal(findCommand('check')?.name, 'check');
  assert.equal(findCommand('chec'), undefined);
});

test('help and version load the table and nothing that it names', async () => {
  const allowed =
    /^(src\/main\.ts|src\/cli\/(commands\/\w+|commands|command_line|config_place|exit_codes|help|parse_words|serving_commands)\.ts|src\/config\/nearest\.ts|src\/observability\/filled_lines\.ts|src\/lifecycle\/(compile_cache|signals|version|package_files)\.ts|src\/net\/thread_pool\.ts)$/;
  for (const words of [['--version'], ['--help'], ['explain', '--help']]) {
    const loaded = await loadedBy(words);
    assert.ok(loaded.length > 5, 'the hook sees what is loaded');
    assert.deepEqual(
      loaded.filter(file => file.includes('/') && file.endsWith('.ts') && !allowed.test(file)),
      [],
      words.join(' '),
    );
  }
});
