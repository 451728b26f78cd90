/** Where compiled code is kept: in a folder of the user's own, or nowhere. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cacheFolder } from '../../src/lifecycle/compile_cache.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const scratch = mkdtempSync(join(tmpdir(), 'fairlead-compiled-'));
after(() => rmSync(scratch, { recursive: true }));

test('a service keeps it in its CacheDirectory, a user in the cache of the home folder', () => {
  assert.equal(
    cacheFolder({ CACHE_DIRECTORY: '/var/cache/fairlead', HOME: '/root' }),
    '/var/cache/fairlead/compiled',
  );
  assert.equal(cacheFolder({ CACHE_DIRECTORY: '/var/cache/a:/var/cache/b' }), '/var/cache/a/compiled');
  assert.equal(cacheFolder({ XDG_CACHE_HOME: '/c', HOME: '/h' }), '/c/fairlead/compiled');
  assert.equal(cacheFolder({ XDG_CACHE_HOME: '', HOME: '/h' }), '/h/.cache/fairlead/compiled');
});

test('without a home folder, or with a relative one, there is none: never the shared /tmp', () => {
  for (const env of [{}, { HOME: '' }, { XDG_CACHE_HOME: 'cache' }, { CACHE_DIRECTORY: 'cache', HOME: '/h' }])
    assert.equal(cacheFolder(env), null);
});

function version(home: string, env: NodeJS.ProcessEnv = {}): void {
  const { NODE_COMPILE_CACHE: _, ...inherited } = process.env;
  const args = ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/main.ts'), '--version'];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...inherited, CACHE_DIRECTORY: '', XDG_CACHE_HOME: '', HOME: home, ...env },
  });
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^fairlead \d/);
}

test('a start fills the folder, which nobody else may read', () => {
  const home = join(scratch, 'home');
  version(home);
  assert.ok(readdirSync(join(home, '.cache/fairlead/compiled'), { recursive: true }).length > 5);
});

test('NODE_DISABLE_COMPILE_CACHE leaves no trace', () => {
  const home = join(scratch, 'disabled');
  version(home, { NODE_DISABLE_COMPILE_CACHE: '1' });
  assert.equal(existsSync(home), false);
});

test('a folder that others may write to is not used', () => {
  const home = join(scratch, 'open');
  const folder = join(home, '.cache/fairlead/compiled');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o777);
  version(home);
  assert.deepEqual(readdirSync(folder), []);
});

test('nothing is kept below a folder in which others could replace it', () => {
  const home = join(scratch, 'shared');
  mkdirSync(home);
  chmodSync(home, 0o777);
  version(home);
  assert.deepEqual(readdirSync(home), []);
  chmodSync(home, 0o1777); // as /tmp is: only the owner of an entry can replace it
  version(home);
  assert.deepEqual(readdirSync(home), ['.cache']);
});

test('root keeps nothing in the home folder of another user, such as under sudo', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, () => {
  const home = join(scratch, 'of a person');
  mkdirSync(home);
  chownSync(home, 12_345, 12_345);
  version(home);
  assert.deepEqual(readdirSync(home), []);
});

test('a folder that cannot be created costs nothing but time', () => {
  const file = join(scratch, 'file');
  writeFileSync(file, '');
  version(file);
});
