/** `fairlead init`: a file that is valid as it stands, and never one that was there before. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runInit, STARTER } from '../../src/cli/init.ts';
import { loadConfigText } from '../../src/config/loader.ts';
import { captured } from './captured.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-init-'));
after(() => rmSync(folder, { recursive: true }));
const init = (file: string, force = false) => captured(async () => runInit(file, force));

test('the file is valid, without a warning, and with its comments taken away as well', () => {
  const uncommented = STARTER.replace(/^( +)# (?=tls: \{ c|- name: api)/gm, '$1').replace(
    /^ {2}# {3}(?=match|forward|rewrite|rateLimits)/gm,
    '    ',
  );
  assert.notEqual(uncommented, STARTER);
  const result = loadConfigText(STARTER, 'fairlead.yaml', {});
  assert.equal(result.kind, 'loaded');
  assert.deepEqual(result.kind === 'loaded' && result.warnings, []);
  const route = uncommented.replace(/^ +tls: \{ certificates.*$/m, '');
  assert.equal(
    loadConfigText(route, 'fairlead.yaml', {}).kind,
    'loaded',
    'what is commented out is right too',
  );
});

test('it says what to run next', async () => {
  const file = join(folder, 'site.yaml');
  const { code, out } = await init(file);
  assert.equal(code, 0);
  assert.equal(readFileSync(file, 'utf8'), STARTER);
  assert.ok(out.includes(`fairlead run --config ${file}\n`), out);
});

test('a file that exists is kept, unless --force is given', async () => {
  const file = join(folder, 'mine.yaml');
  writeFileSync(file, 'mine');
  const { code, err } = await init(file);
  assert.equal(code, 73);
  assert.match(err, /mine\.yaml exists already; --force overwrites it/);
  assert.equal(readFileSync(file, 'utf8'), 'mine');
  assert.equal((await init(file, true)).code, 0);
  assert.equal(readFileSync(file, 'utf8'), STARTER);
});

test('a folder that is not there is reported', async () => {
  const { code, err } = await init(join(folder, 'no/such/site.yaml'));
  assert.equal(code, 73);
  assert.match(err, /cannot write .*no\/such\/site\.yaml/);
});
