// What a reader copies from README.md and docs/: commands that exist, with options that they have, and a first configuration that loads.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findCommand } from '../../src/cli/commands.ts';
import { CONFIG_ORDER } from '../../src/cli/config_place.ts';
import { parseWords } from '../../src/cli/parse_words.ts';
import { blockOf, blocksOf, shellWords } from '../support/documented_blocks.ts';
import { load } from '../support/plan_builder.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const PAGES = ['README.md', ...globSync('docs/*.md', { cwd: ROOT })].sort();
const read = (page: string) => readFileSync(join(ROOT, page), 'utf8');

for (const page of PAGES)
  test(`${page}: its fairlead commands exist`, () => {
    const text = read(page);
    const lines = ['sh', 'bash']
      .flatMap(language => blocksOf(text, language))
      .join('')
      .split('\n');
    const spans = [...text.matchAll(/`(fairlead [a-z][^`]*)`/g)].map(([, code = '']) =>
      code.replaceAll('\n', ' '),
    );
    const commands = [...lines, ...spans].filter(line => /^(?:npx )?fairlead /.test(line));
    if (page === 'README.md') assert.ok(commands.length >= 8, 'README shows the commands');
    for (const line of commands) {
      const [name = '', ...words] = shellWords(line.replace(/^npx /, '')).slice(1);
      const command = findCommand(name);
      assert.ok(command !== undefined, line);
      parseWords(command, words);
    }
  });

test('README: its configuration loads without a warning, and its order of files is the one that holds', () => {
  const readme = read('README.md');
  assert.deepEqual(load(blockOf(readme, 'yaml')).warnings, []);
  assert.ok(readme.replaceAll('`', '').includes(CONFIG_ORDER), CONFIG_ORDER);
});
