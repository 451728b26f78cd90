/** The release: JavaScript with its packages inside, and nothing of development. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LogLines } from './support/log_lines.ts';
import { fetchRaw } from './support/raw_client.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const release = mkdtempSync(join(tmpdir(), 'fairlead-release-'));
after(() => rmSync(release, { recursive: true }));

test('what the build makes runs with Node alone: its packages are inside', () => {
  const build = spawnSync(process.execPath, ['scripts/build.ts', join(release, 'dist')], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  assert.equal(build.status, 0, build.stdout + build.stderr);
  for (const path of ['bin', 'examples', 'package.json'])
    cpSync(join(ROOT, path), join(release, path), { recursive: true });

  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  for (const entry of ['dist/main.js', 'bin/fairlead.js']) {
    const args = [join(release, entry), '--version'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: release, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.equal(stdout, `fairlead ${version}\n`);
    assert.equal(stderr, '');
  }
});

test('the licence of each package that the program names comes with it', () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const licenses = readFileSync(join(release, 'dist/licenses.txt'), 'utf8');
  for (const [name, version] of Object.entries(dependencies))
    assert.match(
      licenses,
      new RegExp(`^==== ${name} ${version}: [\\w.-]+\n\n[^=]{0,200}(Copyright|License)`, 'im'),
    );
});

test('what the build makes loads a configuration', () => {
  const args = [join(release, 'dist/main.js'), 'check', '--config', 'examples/demo.yaml'];
  const env = { ...process.env, DEMO_FAST_PORT: '1', DEMO_SLOW_PORT: '2', DEMO_FLAKY_PORT: '3' };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: release,
    env,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
});

test('what the build makes checks passwords, in the thread that comes with it', async () => {
  const configFile = join(release, 'guarded.yaml');
  const guarded = `basicAuth: { file: ${join(ROOT, 'examples/basic-auth.htpasswd')} }`;
  writeFileSync(
    configFile,
    [
      'version: 1',
      'listeners: { main: { address: 127.0.0.1:0 } }',
      `routes: [{ name: all, respond: { status: 200 }, ${guarded} }]`,
    ].join('\n'),
  );
  const args = [join(release, 'dist/main.js'), 'run', '--config', configFile];
  const child = spawn(process.execPath, args, {
    cwd: release,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines = new LogLines();
  child.stdout.setEncoding('utf8').on('data', (text: string) => lines.take(text));
  child.once('exit', () => lines.end('the process has ended'));
  const { address } = await lines.next({ event: 'listener_opened' });
  const port = Number(String(address).split(':').at(-1));
  const login = (password: string) => [
    'Authorization',
    `Basic ${Buffer.from(`demo:${password}`).toString('base64')}`,
  ];
  assert.equal((await fetchRaw({ port }, '/', { headers: login('guess') })).status, 401);
  assert.equal((await fetchRaw({ port }, '/', { headers: login('demo') })).status, 200);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null], 'a clean drain');
});
