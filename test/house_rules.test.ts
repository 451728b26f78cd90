/**
 * The rules of this project that a program can check, and for each a bad example that it must find.
 * The rules themselves are in support/house_rules/.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type Ban,
  checkBans,
  checkFileNames,
  PROJECT_BANS,
  SOURCE_BANS,
} from './support/house_rules/bans.ts';
import { checkExports } from './support/house_rules/exports.ts';
import {
  checkBarrels,
  checkCycles,
  checkImportOrder,
  checkInnerFolders,
  checkPackages,
  checkReachable,
} from './support/house_rules/imports.ts';
import { type Breach, parseSource, readSources } from './support/house_rules/source.ts';
import { checkTested, isTypesOnly } from './support/house_rules/tested.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const src = readSources(ROOT, 'src');
const tests = readSources(ROOT, 'test');
const project = [
  ...src,
  ...tests,
  ...['bin', 'loadtest', 'scripts'].flatMap(folder => readSources(ROOT, folder)),
];

/** Files that `src/main.ts` does not reach, each with the reason why it is there. */
const IMPORTED_BY_NOBODY: Readonly<Record<string, string>> = {
  'src/config/load_worker.ts': 'a thread: src/lifecycle/worker_thread.ts starts it',
  'src/security/password_worker.ts': 'a thread: src/lifecycle/worker_thread.ts starts it',
};

/** Files with code and without a test of their own: they only compose or hold a table. Each with the reason. */
const WITHOUT_OWN_TEST: Readonly<Record<string, string>> = {
  'src/config/load_worker.ts': 'a thread: test/lifecycle/load_thread.test.ts starts it',
  'src/lifecycle/worker_thread.ts':
    'one call: test/lifecycle/load_thread.test.ts and test/packaging/packages.test.ts start threads',
  'src/resilience/random.ts': 'one call of Node in each function; tests use seeded_random.ts',
  'src/admin/admin_views.ts':
    'composes: each question goes to the part that answers it, and test/integration/admin.test.ts looks for secrets',
  'src/health/probe_settings.ts': 'types, and the name by which probes introduce themselves',
  'src/cli/with_admin.ts':
    'composes: finds the client and prints its one error; seen from outside in test/integration/admin_actions.test.ts',
  'src/admin/status_page_table.ts':
    'cells and headings; seen in the tests of the sections that are made of them',
  'src/admin/confirm_page.ts': 'one template; seen in test/admin/action_routes.test.ts',
  'src/admin/small_page.ts': 'one template; seen in test/admin/record_page.test.ts',
  'src/admin/status_page_script.ts': 'runs in a browser; seen there in test/browser/status_page.test.ts',
  'src/admin/status_page_style.ts': 'a style sheet; seen in a browser in test/browser/status_page.test.ts',
  'src/admin/reply.ts': 'a few calls; seen in test/admin/api.test.ts',
  'src/admin/admin.ts':
    'composes: the parts of the admin side; seen from outside in test/integration/admin.test.ts',
  'src/lifecycle/phase_keeper.ts':
    'holds a word and emits one event; seen from outside in test/integration/lifecycle.test.ts',
  'src/lifecycle/running_proxy.ts':
    'composes: the parts of the process; seen from outside in test/integration/lifecycle.test.ts',
  'src/cli/schema.ts': 'prints one value; seen from outside in test/main.test.ts',
  'src/lifecycle/package_files.ts': 'reads one file; seen from outside in test/packaging/packages.test.ts',
  'src/lifecycle/version.ts': 'reads one field; seen from outside in test/main.test.ts',
  'src/cli/demo.ts':
    'composes: three backends in front of `run`; seen from outside in test/phases/phase_0_skeleton.test.ts',
  'src/http/client/http2_sessions.ts': 'seen on real sessions in test/http/server.test.ts',
  'src/net/upstream/http2_slot.ts': 'seen on real connections in test/net/upstream/http2_upstream.test.ts',
  'src/cli/commands/serving.ts': 'a table; test/cli/commands.test.ts and test/main.test.ts',
  'src/cli/commands/configuration.ts': 'a table; test/cli/commands.test.ts and test/main.test.ts',
  'src/cli/commands/shell.ts': 'a table; test/cli/commands.test.ts and test/cli/completion.test.ts',
  'src/cli/commands/running.ts': 'a table; test/cli/commands.test.ts and test/cli/status.test.ts',
  'src/cli/exit_codes.ts': 'a table of constants; test/main.test.ts checks each code from outside',
};

function assertNone(breaches: readonly Breach[]): void {
  const lines = breaches.map(({ path, line, message }) => `  ${path}:${line}: ${message}`);
  assert.equal(lines.length, 0, `${lines.length} broken:\n${lines.join('\n')}\n`);
}

test('a folder imports only the folders to its left', () => assertNone(checkImportOrder(src)));

test('no file imports from an inner folder of another folder', () => assertNone(checkInnerFolders(src)));

test('src uses only packages that the release has', () => {
  const manifest = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as {
    dependencies: Record<string, string>;
  };
  assertNone(checkPackages(src, Object.keys(manifest.dependencies)));
});

test('files do not import each other in a circle', () => assertNone(checkCycles(src)));

test('there are no barrel files', () => assertNone(checkBarrels(project)));

test('every file in src is reached from main.ts', () => {
  assertNone(checkReachable(src, 'src/main.ts', IMPORTED_BY_NOBODY));
});

test('what a file of src exports is imported somewhere', () => assertNone(checkExports(src, project)));

test('time and chance are touched in one place only', () => assertNone(checkBans(src, SOURCE_BANS)));

test('nothing that the project bans is written anywhere', () => assertNone(checkBans(project, PROJECT_BANS)));

test('file names say the thing', () => assertNone(checkFileNames(project)));

test('every file with something to get wrong has its test', () => {
  assertNone(checkTested(src, new Set(tests.map(({ path }) => path)), WITHOUT_OWN_TEST));
});

// From here on: each rule finds its bad example, and only that.

function messages(breaches: readonly Breach[]): string[] {
  return breaches.map(({ path, line, message }) => `${path}:${line}: ${message}`);
}

function assertFound(breaches: readonly Breach[], ...expected: readonly RegExp[]): void {
  const found = messages(breaches);
  assert.equal(found.length, expected.length, `as many as expected:\n${found.join('\n')}`);
  for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern);
}

test('the rules see code, not what only looks like code', () => {
  const text = [
    "const a = 'Date.now()'; // Date.now()",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a template literal as the rules would read it
    'const b = `x ${Date.now() + `${{ c: 1 }.c}`.length} Math.random`;',
    'const d = /["`]Date.now/.test(a) ? 4 / 2 : 8 / 4; /* ` */',
    'const e = Date.now();',
  ].join('\n');
  const source = parseSource('src/net/a.ts', text);
  assert.equal(source.code.length, text.length, 'positions stay');
  const lines = checkBans([source], SOURCE_BANS).map(({ line }) => line);
  assert.deepEqual(lines, [2, 4], 'the template expression and the call, nothing else');
});

test('an import to the right, of an unknown folder, or out of src is found', () => {
  assertFound(
    checkImportOrder([
      parseSource('src/net/a.ts', "import x from 'node:net';\nimport {\n  a,\n} from '../http/server.ts';"),
    ]),
    /^src\/net\/a\.ts:2: net may not import http/,
  );
  assertFound(
    checkImportOrder([parseSource('src/http/a.ts', "import type { Plan } from '../config/plan.ts';")]),
    /http may not import config/,
  );
  assertFound(
    checkImportOrder([parseSource('src/http/a.ts', "await import('../main.ts');")]),
    /may not import main.ts/,
  );
  assertFound(
    checkImportOrder([parseSource('src/http/a.ts', "export { a } from '../lifecycle/b.ts';")]),
    /lifecycle/,
  );
  assertFound(checkImportOrder([parseSource('src/extras/a.ts', '')]), /the folder "extras" is not in DESIGN/);
  assertFound(
    checkImportOrder([parseSource('src/http/a.ts', "import '../../test/a.ts';")]),
    /nothing outside src/,
  );
  assertFound(checkImportOrder([parseSource('src/lifecycle/a.ts', "import { b } from '../config/b.ts';")]));
});

test('a value taken from net by a folder that only decides is found', () => {
  const bad = [
    "import { parse } from '../net/address.ts';",
    "import { type Address } from '../net/address.ts';",
  ];
  for (const text of bad) {
    assertFound(checkImportOrder([parseSource('src/health/a.ts', text)]), /health takes only types from net/);
  }
  assertFound(
    checkImportOrder([parseSource('src/health/a.ts', "import type { A } from '../net/address.ts';")]),
  );
  assertFound(checkImportOrder([parseSource('src/http/a.ts', "import { parse } from '../net/address.ts';")]));
});

test('an import from an inner folder of another folder is found', () => {
  const text =
    "import { a } from '../net/upstream/http1_slot.ts';\nimport type { B } from '../net/upstream.ts';";
  assertFound(
    checkInnerFolders([parseSource('src/http/a.ts', text)]),
    /^src\/http\/a\.ts:1: src\/net\/upstream\/http1_slot\.ts is an inner folder of src\/net:/,
  );
  assertFound(
    checkInnerFolders([parseSource('src/net/a.ts', "import { a } from './upstream/http1_slot.ts';")]),
  );
  assertFound(
    checkInnerFolders([parseSource('src/net/listen/a.ts', "import { a } from '../upstream/b.ts';")]),
  );
});

test('a package that only development has is found', () => {
  const text =
    "import ws from 'ws';\nimport f from '@fastify/http-proxy/x';\nimport 'typescript';\nimport fs from 'fs';";
  assertFound(
    checkPackages([parseSource('src/net/a.ts', text)], ['ws', '@fastify/http-proxy']),
    /a\.ts:3: "typescript"/,
    /a\.ts:4: "fs"/,
  );
});

test('a circle is found, also through types', () => {
  const a = parseSource('src/net/a.ts', "import { b } from './b.ts';");
  const b = parseSource('src/net/b.ts', "import { c } from './c.ts';");
  const c = parseSource('src/net/c.ts', "import type { A } from './a.ts';");
  assertFound(
    checkCycles([a, b, c]),
    /a cycle: src\/net\/a\.ts → src\/net\/b\.ts → src\/net\/c\.ts → src\/net\/a\.ts/,
  );
  assertFound(checkCycles([a, b, parseSource('src/net/c.ts', '')]));
});

test('a barrel is found, a single re-export is not one', () => {
  assertFound(
    checkBarrels([
      parseSource('src/net/a.ts', "export { b } from './b.ts';\nexport type { C } from './c.ts';"),
    ]),
    /a barrel/,
  );
  assertFound(
    checkBarrels([parseSource('src/net/a.ts', "export * from './b.ts';\nconst a = 1;")]),
    /export \*/,
  );
  assertFound(
    checkBarrels([parseSource('src/net/a.ts', "export type { C } from './c.ts';\nexport const a = 1;")]),
  );
});

test('a file nobody reaches is found, and an exception that is no longer needed', () => {
  const sources = [
    parseSource('src/main.ts', "import { a } from './net/a.ts';"),
    parseSource('src/net/a.ts', ''),
    parseSource('src/net/dead.ts', "import { b } from './dead_too.ts';"),
    parseSource('src/net/dead_too.ts', ''),
  ];
  assertFound(
    checkReachable(sources, 'src/main.ts', {}),
    /dead\.ts:1: nothing on the way/,
    /dead_too\.ts:1: nothing/,
  );
  assertFound(
    checkReachable(sources, 'src/main.ts', {
      'src/net/a.ts': 'x',
      'src/net/dead.ts': 'x',
      'src/net/dead_too.ts': 'x',
    }),
    /net\/a\.ts:1: needs no exception any more/,
  );
});

test('an export that nobody imports is found, whatever the way in which the others are', () => {
  const exported = [
    'export const a = 1;',
    'export type B = string;',
    'export async function c() {}',
    'export interface Dead {}',
    "export { e, type F as G } from './f.ts';",
    'const local = 1;',
    "const text = 'export const h = 1;'; // export const i = 1;",
  ].join('\n');
  const source = parseSource('src/net/a.ts', exported);
  const importers = [
    parseSource('src/http/a.ts', "import { type B, a as x } from '../net/a.ts';"),
    parseSource('test/net/a.test.ts', "const { c: y } = await import('../../src/net/a.ts');"),
    parseSource('src/net/g.ts', "export { type G } from './a.ts';\nimport { Dead } from './other.ts';"),
  ];
  assertFound(
    checkExports([source], importers),
    /^src\/net\/a\.ts:4: nobody imports Dead: take "export" away/,
    /a\.ts:5: nobody imports e:/,
  );
  for (const all of ["import * as a from './a.ts';", "const a = await import('./a.ts');"])
    assertFound(checkExports([source], [parseSource('src/net/b.ts', all)]));
});

test('each ban finds its bad example and names the replacement', () => {
  const bad: readonly (readonly [string, readonly Ban[], RegExp])[] = [
    ['const a = Date.now();', SOURCE_BANS, /wallMs/],
    ['const a = new Date();', SOURCE_BANS, /wallMs/],
    ['const a = performance.now();', SOURCE_BANS, /nowMs/],
    ['const a = process.hrtime.bigint();', SOURCE_BANS, /nowMs/],
    ['setTimeout(a, 1);', SOURCE_BANS, /setTimer/],
    ['globalThis.setInterval(a, 1);', SOURCE_BANS, /setTimer/],
    ["import { setTimeout as wait } from 'node:timers/promises';", SOURCE_BANS, /setTimer/],
    ['fetch(a, { signal: AbortSignal.timeout(1) });', SOURCE_BANS, /setTimer/],
    ['const a = Math.random();', SOURCE_BANS, /unit/],
    ['const a = crypto.randomUUID();', SOURCE_BANS, /requestId/],
    ['let a: any;', PROJECT_BANS, /unknown/],
    ['const a = b as any;', PROJECT_BANS, /unknown/],
    ['const a = new Map<string, any>();', PROJECT_BANS, /unknown/],
    ['let a: string | any[];', PROJECT_BANS, /unknown/],
    ['export default class A {}', PROJECT_BANS, /named export/],
    ['export { a as default };', PROJECT_BANS, /named export/],
    ['export const enum A { b }', PROJECT_BANS, /union/],
    ['enum A { b }', PROJECT_BANS, /union/],
    [`// ${'TO'}DO: later`, PROJECT_BANS, /issue/],
    [`/* ${'FIX'}ME */`, PROJECT_BANS, /issue/],
    [`// @ts${'-ignore'}`, PROJECT_BANS, /a type that fits/],
  ];
  for (const [text, bans, instead] of bad) {
    const found = messages(checkBans([parseSource('src/net/a.ts', text)], bans));
    assert.equal(found.length, 1, `${text} → ${found.join(' | ')}`);
    assert.match(found[0] ?? '', instead, text);
  }
});

test('what is only similar is not banned', () => {
  const good = [
    'socket.setTimeout(1);',
    'const a = new Date(clock.wallMs());',
    'interface A { any(): void; readonly any: string }',
    "const a = 'any'; const company: string = 'enum A {';",
    'const todo = hacks;',
  ].join('\n');
  assertFound(checkBans([parseSource('src/net/a.ts', good)], [...SOURCE_BANS, ...PROJECT_BANS]));
  assertFound(
    checkBans([parseSource('src/resilience/clock.ts', 'Date.now(); setTimeout(a, 1);')], SOURCE_BANS),
  );
});

test('an empty file name is found', () => {
  for (const name of [
    'utils.ts',
    'helpers.ts',
    'pool_manager.ts',
    'index.ts',
    'common.ts',
    'string_utils.ts',
    'camelCase.ts',
  ]) {
    assert.equal(checkFileNames([parseSource(`src/net/${name}`, '')]).length, 1, name);
  }
  for (const name of ['base64.ts', 'service_manager.ts', 'retry_budget.test.ts', 'fairlead.js']) {
    assert.equal(checkFileNames([parseSource(`src/net/${name}`, '')]).length, 0, name);
  }
});

test('a file with code and without a test is found, one with types only is not', () => {
  const code = parseSource('src/net/a.ts', "import type { B } from './b.ts';\nexport const a = 1;");
  const types = parseSource(
    'src/net/b.ts',
    "import type { A } from './a.ts';\n/** x */\nexport interface B { a: A }\nexport type { C } from './c.ts';",
  );
  assert.ok(isTypesOnly(types) && !isTypesOnly(code));
  assertFound(checkTested([code, types], new Set(), {}), /has no test: write test\/net\/a\.test\.ts/);
  assertFound(checkTested([code, types], new Set(['test/net/a.test.ts']), {}));
  assertFound(checkTested([code, types], new Set(), { 'src/net/a.ts': 'reason' }));
  assertFound(
    checkTested([code], new Set(['test/net/a.test.ts']), { 'src/net/a.ts': 'reason' }),
    /needs no exception/,
  );
});
