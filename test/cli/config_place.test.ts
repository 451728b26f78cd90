/** Which file and which admin address a command means: option, then environment, then the usual place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from '../../src/cli/command.ts';
import { ADMIN_OPTIONS, adminTarget, configFile, NoConfigFile } from '../../src/cli/config_place.ts';
import { parseWords } from '../../src/cli/parse_words.ts';

const COMMAND: Command = {
  name: 'ask',
  summary: 'Ask',
  positionals: [],
  options: ADMIN_OPTIONS,
  examples: [{ command: 'fairlead ask', shows: 'asks' }],
  run: () => Promise.resolve(0),
};
const valuesOf = (...words: string[]) => parseWords(COMMAND, words).values;

test('the option goes before the environment, and an empty variable is none', () => {
  assert.equal(configFile(valuesOf('-c', 'a.yaml'), { FAIRLEAD_CONFIG: 'b.yaml' }), 'a.yaml');
  assert.equal(configFile(valuesOf(), { FAIRLEAD_CONFIG: 'b.yaml' }), 'b.yaml');
  assert.equal(
    configFile(valuesOf(), { FAIRLEAD_CONFIG: '' }, () => true),
    'fairlead.yaml',
  );
});

test('without a name it is the file of the working directory, then that of the system', () => {
  const only = (present: string) => (file: unknown) => file === present;
  assert.equal(configFile(valuesOf(), {}, only('fairlead.yaml')), 'fairlead.yaml');
  const system = '/etc/fairlead/fairlead.yaml';
  assert.equal(configFile(valuesOf(), {}, only(system)), system);
});

test('where none exists the error lists where it was looked for, and what to do', () => {
  const nowhere = () => configFile(valuesOf(), {}, () => false);
  for (const part of ['./fairlead.yaml', '/etc/fairlead/fairlead.yaml', 'fairlead init', '--config FILE'])
    assert.throws(nowhere, error => error instanceof NoConfigFile && error.message.includes(part), part);
});

test('the admin address comes from the option, then the environment; without one the file tells it', () => {
  const env = { FAIRLEAD_ADMIN: '127.0.0.1:2', FAIRLEAD_CONFIG: 'b.yaml' };
  assert.equal(adminTarget(valuesOf('--admin', '127.0.0.1:1'), env).address, '127.0.0.1:1');
  assert.deepEqual(adminTarget(valuesOf(), env), { file: '', address: '127.0.0.1:2' });
  assert.equal(adminTarget(valuesOf(), { FAIRLEAD_ADMIN: '', FAIRLEAD_CONFIG: 'b.yaml' }).address, null);
});
