/** What happens to tests whose program is missing; and .ci/run installs what they ask for. */
import assert from 'node:assert/strict';
import { accessSync, constants, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decideSkip, findProgram, PROGRAMS } from './programs.ts';

const CI_RUN = fileURLToPath(new URL('../../.ci/run', import.meta.url));
const script = readFileSync(CI_RUN, 'utf8');

test('a test whose programs are there runs', () => assert.deepEqual(decideSkip([], true), { skip: false }));

test('without a program the test is skipped with the name of the package, or fails where everything is required', () => {
  assert.deepEqual(decideSkip(['nginx'], false), {
    skip: 'not installed: nginx (Debian package nginx-light)',
  });
  assert.throws(
    () => decideSkip(['nginx', 'curl'], true),
    /FAIRLEAD_REQUIRE_ALL=1, but not installed: nginx .*, curl/,
  );
});

test('programs are found by their full path, and only executable ones', () => {
  assert.equal(findProgram('sh', '/nowhere:/bin'), '/bin/sh');
  const folder = fileURLToPath(new URL('.', import.meta.url));
  assert.equal(findProgram('programs.ts', folder), null, 'a file that cannot be executed');
  assert.equal(findProgram('no-such-program'), null);
});

test('.ci/run can be executed, installs the package of every program, requires all, and then runs npm ci and npm test', () => {
  accessSync(CI_RUN, constants.X_OK);
  const pairs = /needed=\(([^)]*)\)/.exec(script)?.[1]?.split(' ');
  assert.deepEqual(
    pairs,
    Object.entries(PROGRAMS).map(([name, debianPackage]) => `${name}:${debianPackage}`),
  );
  assert.match(script, /^set -euo pipefail$/m);
  assert.match(script, /\nnpm ci\n[^\n]+\nFAIRLEAD_REQUIRE_ALL=1 npm test\n$/);
  assert.doesNotMatch(script, /https?:|registry/, 'where packages come from is a matter of the machine');
});
