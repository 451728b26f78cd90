import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type LoadResult, loadConfig } from '../../src/config/loader.ts';
import { loadForReload, loadInThread } from '../../src/lifecycle/load_thread.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-thread-'));
after(() => rmSync(folder, { recursive: true }));

function fileWith(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function manyRoutes(count: number, extra = ''): string {
  const routes = Array.from(
    { length: count },
    (_, at) =>
      `  - { name: r${at}, match: { path: { prefix: /p${at} } }, forward: { cluster: app }, timeouts: { request: ${at + 1}s } }`,
  );
  return [
    'version: 1',
    'listeners: { main: { address: "127.0.0.1:0" } }',
    'routes:',
    ...routes,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the loader puts the variable in
    'clusters: { app: { endpoints: ["${BACKEND}"] } }',
    extra,
  ].join('\n');
}

const ENV = { BACKEND: '127.0.0.1:9000' };

/** What a reload makes use of; files change while one looks at them. */
function essence(result: LoadResult) {
  return result.kind === 'loaded' ? { ...result, files: [...result.files.keys()] } : result;
}

function assertFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  assert(Object.isFrozen(value));
  for (const inner of Object.values(value)) assertFrozen(inner);
}

test('a thread loads the same plan as the process itself, frozen, with the origin of each value', async () => {
  const file = fileWith('large.yaml', manyRoutes(450));
  const here = loadConfig(file, ENV);
  const there = await loadForReload({ file: file, env: ENV, text: null });
  assert(here.kind === 'loaded' && there.kind === 'loaded');
  assert.deepEqual(essence(there), essence(here));
  assert.equal(there.plan.routes.length, 450);
  assert.match(there.origins.get('routes.r449.listeners.main.requestMs'), /^large\.yaml:453:/);
  assert.deepEqual(there.secrets, here.secrets);
  assertFrozen(there.plan);
});

test('an example with everything comes out of a thread as it went in', async () => {
  const file = join(ROOT, 'examples/edge.yaml');
  assert.deepEqual(
    essence(await loadInThread({ file: file, env: {}, text: null })),
    essence(loadConfig(file, {})),
  );
});

test('what is wrong with a large file is told as it is with a small one', async () => {
  const file = fileWith('wrong.yaml', manyRoutes(450, 'nonsense: 1'));
  const result = await loadForReload({ file: file, env: ENV, text: null });
  assert(result.kind === 'invalid');
  assert.deepEqual(result, loadConfig(file, ENV));
  assert.match(result.problems[0]?.message ?? '', /unknown key "nonsense"/);
});

test('a file that is gone, or is a folder, is told where it is asked for', async () => {
  assert.equal(
    (await loadForReload({ file: join(folder, 'nowhere.yaml'), env: ENV, text: null })).kind,
    'unreadable',
  );
  assert.deepEqual(await loadForReload({ file: folder, env: ENV, text: null }), loadConfig(folder, ENV));
  assert.equal(
    (await loadInThread({ file: join(folder, 'nowhere.yaml'), env: ENV, text: null })).kind,
    'unreadable',
  );
});

test('the text of the running plan is loaded instead of the file, where only its certificates have changed', async () => {
  const file = fileWith('edited.yaml', 'version: 1\nan edit that is not finished');
  const text = { source: manyRoutes(450), files: new Map([[file, 'as it was']]) };
  const result = await loadForReload({ file, env: ENV, text });
  assert(result.kind === 'loaded');
  assert.equal(result.plan.routes.length, 450);
  assert.equal(result.files.get(file), 'as it was');
});
