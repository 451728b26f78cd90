/** The release: compiled JavaScript, the dependencies of package.json, and nothing of development. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { productionPackages } from './support/release.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const release = mkdtempSync(join(tmpdir(), 'fairlead-release-'));
after(() => rmSync(release, { recursive: true }));

test('what the build makes runs without the development dependencies', () => {
  const build = spawnSync(process.execPath, ['scripts/build.ts', join(release, 'dist')], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  assert.equal(build.status, 0, build.stdout + build.stderr);
  for (const path of ['bin', 'examples', 'package.json'])
    cpSync(join(ROOT, path), join(release, path), { recursive: true });
  // A link brings what is nested below.
  for (const path of productionPackages()) {
    mkdirSync(dirname(join(release, path)), { recursive: true });
    symlinkSync(join(ROOT, path), join(release, path));
  }

  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  for (const entry of ['dist/main.js', 'bin/fairlead.js']) {
    const args = ['--preserve-symlinks', join(release, entry), '--version'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: release, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.equal(stdout, `fairlead ${version}\n`);
    assert.equal(stderr, '');
  }
});

test('what the build makes loads a configuration', () => {
  const args = [
    '--preserve-symlinks',
    join(release, 'dist/main.js'),
    'check',
    '--config',
    'examples/demo.yaml',
  ];
  const env = { ...process.env, DEMO_FAST_PORT: '1', DEMO_SLOW_PORT: '2', DEMO_FLAKY_PORT: '3' };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: release,
    env,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
});
