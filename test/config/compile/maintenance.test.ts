import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfigText } from '../../../src/config/loader.ts';
import { assertOnly, loadedFrom, textOf } from '../config_text.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-maintenance-'));
after(() => rmSync(folder, { recursive: true }));

test('the page of many routes is kept once, with its type by the ending of the file', () => {
  const file = join(folder, 'page.html');
  writeFileSync(file, '<p>soon</p>');
  const routes =
    '[{ name: a, match: { path: { exact: /a } }, forward: { cluster: app } }, { name: b, match: { path: { exact: /b } }, forward: { cluster: app } }, { name: c, match: { path: { exact: /c } }, forward: { cluster: app }, maintenance: { body: soon } }]';
  const { plan, files } = loadedFrom({ top: `maintenance: { bodyFile: ${file} }`, routes });
  assert.deepEqual(
    Object.values(plan.pages)
      .map(({ contentType, body }) => `${contentType} ${body}`)
      .sort(),
    ['text/html; charset=utf-8 <p>soon</p>', 'text/plain; charset=utf-8 soon'],
  );
  const [a, b, c] = plan.routes.map(route => route.maintenance?.page ?? '');
  assert.equal(a, b);
  assert.equal(plan.pages[c ?? '']?.body, 'soon');
  assert.ok(files.has(file), 'a change of the page is noticed');
});

test('a prepared page is read, so that its mistakes are found before it is needed', () => {
  for (const top of ['{ enabled: false, bodyFile: nowhere.html }', '{ bodyFile: nowhere.html }'])
    assertOnly(
      { top: `maintenance: ${top}` },
      /^maintenance\.bodyFile: cannot read .*nowhere\.html: it does not exist$/,
    );
  const none = { clusters: '{}', routes: '[]' };
  const result = loadConfigText(
    textOf({ top: 'maintenance: { bodyFile: nowhere.html }', ...none }),
    '/x.yaml',
    {},
  );
  assert.equal(result.kind, 'invalid');
});

test('a page is text of a bounded size', () => {
  const file = join(folder, 'large.html');
  writeFileSync(file, 'x'.repeat(256 * 1_024 + 1));
  assertOnly({ top: `maintenance: { bodyFile: ${file} }` }, /: it is larger than 0\.25 MiB$/);
});

test('what a prepared block says changes no plan', () => {
  const digest = (top: string) => loadedFrom({ top }).plan.digest;
  assert.equal(digest('maintenance: { enabled: false, body: a }'), digest(''));
  assert.notEqual(digest('maintenance: { body: a }'), digest('maintenance: { body: b }'));
});
