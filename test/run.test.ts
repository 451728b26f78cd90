/** The runner itself: what it says of files that pass, fail, hang, leak or give up. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const RUNNER = fileURLToPath(new URL('run.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('..', import.meta.url));

function runner(...args: readonly string[]): { readonly code: number | null; readonly out: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [RUNNER, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { code: status, out: stdout + stderr };
}

function fixture(name: string): string {
  return `test/support/runner/fixtures/${name}.ts`;
}

test('a run without failures ends with code 0 and the closing lines of node:test', () => {
  const { code, out } = runner(fixture('passes'));
  assert.equal(code, 0, out);
  assert.match(
    out,
    /ℹ tests 2\nℹ suites 0\nℹ pass 1\nℹ fail 0\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0\nℹ duration_ms [\d.]+\n$/,
  );
});

test('a skipped test is named with its reason', () => {
  assert.match(runner(fixture('passes')).out, /﹣ skipped: .*two needs more # no such program/);
});

test('a failed test fails the run, and its message is shown', () => {
  const { code, out } = runner(fixture('passes'), fixture('fails'));
  assert.equal(code, 1);
  assert.match(out, /the message of the failed assertion/);
  assert.match(out, /✖ test\/support\/runner\/fixtures\/fails\.ts.*1 failed/);
  assert.equal(out.match(/ℹ tests/g)?.length, 1, 'one summary, for all files together');
  assert.match(out, /ℹ tests 3\n[\s\S]*ℹ fail 1\n/);
});

test('a hung file is killed, and the test that hung is named', () => {
  const { code, out } = runner('--limit-ms', '1500', fixture('hangs'), fixture('passes'));
  assert.equal(code, 1);
  assert.match(out, /hangs\.ts.*killed after 1\.5 s; still running: waits for ever/);
  assert.match(out, /ℹ pass 1\nℹ fail 1\n/, 'the other file still counts');
});

test('a file that leaves something open fails, even when it ignores signals', () => {
  const { code, out } = runner('--limit-ms', '1500', fixture('leaks'));
  assert.equal(code, 1);
  assert.match(out, /leaks\.ts.*its tests were over: an open socket, timer or child process/);
});

test('a file that ends itself with success before its tests are over fails', () => {
  const { code, out } = runner(fixture('gives_up'));
  assert.equal(code, 1, out);
  assert.match(out, /ran no test to its end/);
});

test('a phase that does not exist is said, not passed over', () => {
  const { code, out } = runner('--phase', '99');
  assert.equal(code, 1);
  assert.match(out, /there is no phase 99/);
});
