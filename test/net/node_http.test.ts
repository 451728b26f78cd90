import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/proxy_under_test.ts';

test("Node's HTTP is there, and its copy of undici is not loaded for it", () => {
  const script = `const { http } = await import(${JSON.stringify(join(ROOT, 'src/net/node_http.ts'))});
    console.log(typeof http.createServer, process.moduleLoadList.includes('NativeModule internal/deps/undici/undici'));`;
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
  assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8' }), 'function false\n');
});
