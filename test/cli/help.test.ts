/** Help from the table: nothing of it is missing, and no line is too long for a terminal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS } from '../../src/cli/commands.ts';
import { commandHelp, exitCodes, optionName, overview, usageLine } from '../../src/cli/help.ts';

const flat = (text: string) => text.replace(/\s+/g, ' ');

test('the overview has every command with its summary, and every exit code', () => {
  const text = overview(COMMANDS);
  for (const { name, summary } of COMMANDS) assert.match(text, new RegExp(`^  ${name} +\\S`, 'm'), summary);
  for (const { summary } of COMMANDS) assert.ok(flat(text).includes(flat(summary)), summary);
  for (const [code, meaning] of exitCodes()) assert.match(text, new RegExp(`^  ${code} +${meaning}`, 'm'));
});

for (const command of COMMANDS) {
  test(`${command.name} --help has every option with its meaning, and an example`, () => {
    const text = commandHelp(command);
    assert.ok(text.startsWith(`Usage: fairlead ${command.name}`));
    for (const option of command.options) {
      assert.ok(text.includes(optionName(option)), option.name);
      assert.ok(flat(text).includes(flat(option.description)), option.name);
    }
    for (const { command: line } of command.examples) assert.ok(text.includes(`  ${line}\n`));
  });
}

test('no line is longer than 100 columns', () => {
  const lines = [overview(COMMANDS), ...COMMANDS.map(commandHelp)].join('').split('\n');
  assert.deepEqual(
    lines.filter(line => line.length > 100),
    [],
  );
});

test('the usage line shows which arguments may be left out', () => {
  const lines = COMMANDS.map(usageLine);
  assert.ok(lines.includes('fairlead diff [OPTIONS] OLD NEW'));
  assert.ok(lines.includes('fairlead explain [OPTIONS] [URL|REASON]'));
});
