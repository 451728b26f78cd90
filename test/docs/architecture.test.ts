/** docs/architecture.md names files and folders: each exists, and no folder of src is left out. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FOLDERS } from '../support/house_rules/imports.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = ['docs/architecture.md', 'README.md'];

test('every file that the map of the project names is there', () => {
  for (const page of PAGES) {
    const named = readFileSync(`${ROOT}/${page}`, 'utf8').match(
      /\b(?:src|test|docs|loadtest|examples)\/[\w/.-]*\w\/?/g,
    );
    assert.ok(named !== null && named.length > 5, `${page} names files`);
    for (const path of named) assert.ok(existsSync(`${ROOT}/${path}`), `${page} names ${path}`);
  }
});

test('every folder of src has its line on the map', () => {
  const page = readFileSync(`${ROOT}/docs/architecture.md`, 'utf8');
  const folders = globSync('src/**/', { cwd: ROOT }).filter(path => path.includes('/'));
  assert.ok(folders.length > FOLDERS.length - 2, 'folders are found');
  for (const folder of folders)
    assert.ok(page.includes(`| \`${folder.replace(/\/$/, '')}/\` |`), `${folder} has no line`);
  assert.ok(page.includes(FOLDERS.join(' → ')), 'the order of imports is that of the house rules');
});
