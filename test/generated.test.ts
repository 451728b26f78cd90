/** Files that scripts write from the code: each is what its script would write today. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderManPage } from '../scripts/man_page.ts';
import { renderSchemaFile } from '../scripts/schema_file.ts';
import { COMMANDS } from '../src/cli/commands.ts';
import { needs, program } from './support/programs.ts';
import { ROOT } from './support/proxy_under_test.ts';

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

test('man/fairlead.1 is current; npm run generate writes it anew', () => {
  assert.equal(read('man/fairlead.1'), renderManPage(COMMANDS));
});

test('fairlead.schema.json is current; npm run generate writes it anew', () => {
  assert.equal(read('fairlead.schema.json'), renderSchemaFile());
});

test('man shows the page without a warning, with every command and option', needs('man'), () => {
  const env = {
    ...process.env,
    MANWIDTH: '100',
    MANROFFOPT: '-wall',
    LC_ALL: 'C.UTF-8',
    MAN_KEEP_FORMATTING: '',
  };
  const page = join(ROOT, 'man/fairlead.1');
  const { stdout, stderr, status } = spawnSync(program('man'), ['--warnings=all', '-l', page], {
    encoding: 'utf8',
    env,
  });
  assert.deepEqual([status, stderr], [0, '']);
  for (const { name, options } of COMMANDS) {
    assert.match(stdout, new RegExp(`fairlead ${name}\\b`));
    for (const option of options) assert.ok(stdout.includes(`--${option.name}`), option.name);
  }
});

test('each example names the schema for editors, by a path that exists in a checkout and in the package', () => {
  for (const name of readdirSync(join(ROOT, 'examples')).filter(file => file.endsWith('.yaml')))
    assert.match(
      read(`examples/${name}`),
      /^# yaml-language-server: \$schema=\.\.\/fairlead\.schema\.json\n/,
      name,
    );
});

test('the package has the schema and the man page, and needs the Node that its command needs', () => {
  const { files, man, exports, engines } = JSON.parse(read('package.json')) as Record<string, unknown>;
  for (const name of ['man', 'fairlead.schema.json', 'examples'])
    assert.ok((files as string[]).includes(name), name);
  assert.deepEqual(man, ['man/fairlead.1']);
  assert.ok('./fairlead.schema.json' in (exports as object));
  assert.deepEqual(engines, { node: '>=20' });
});
