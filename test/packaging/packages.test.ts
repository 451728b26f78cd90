// What people install: the npm package, the single executable, the Debian package. Each is made, started and asked.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { LogLines } from '../support/log_lines.ts';
import { findProgram } from '../support/programs.ts';
import { ROOT } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { buildDist, copyProductionPackages } from '../support/release.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-packages-'));
after(() => rmSync(folder, { recursive: true }));
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

function script(name: string, target: string): void {
  const args = ['--disable-warning=ExperimentalWarning', join(ROOT, 'scripts', name), target];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
}

/** Starts it on a free port, sends a request, and ends it as a service manager would. */
async function servesAndDrains(
  program: string,
  configFile: string,
  { headers = [], env = process.env }: { headers?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<void> {
  const child = spawn(program, ['run', '--config', configFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  const ended = once(child, 'exit');
  const lines = new LogLines();
  child.stdout.setEncoding('utf8').on('data', (text: string) => lines.take(text));
  child.once('exit', () => lines.end('the process has ended'));
  const { address } = await lines.next({ event: 'listener_opened' });
  const port = Number(String(address).split(':').at(-1));
  if (headers.length > 0) assert.equal((await fetchRaw({ port }, '/')).status, 401);
  const answer = await fetchRaw({ port }, '/', { headers: ['Host', 'localhost', ...headers] });
  assert.equal(answer.status, 200);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null], 'a clean drain');
}

const LOGIN = ['Authorization', `Basic ${Buffer.from('demo:demo').toString('base64')}`];

/** A route for which clients log in: that takes a thread whose code is packed on its own. */
function guardedConfig(): string {
  const configFile = join(folder, 'fairlead.yaml');
  const route = `name: all, respond: { status: 200 }, basicAuth: { file: ${join(ROOT, 'examples/basic-auth.htpasswd')} }`;
  const lines = [
    'version: 1',
    'admin: { address: off }',
    'listeners: { main: { address: 127.0.0.1:0 } }',
    `routes: [{ ${route} }]`,
    'clusters: {}',
  ];
  writeFileSync(configFile, lines.join('\n'));
  return configFile;
}

test('the npm package holds the program and what a person needs, and nothing of development', () => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const packed = JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' })) as [
    { readonly files: readonly { readonly path: string }[] },
  ];
  const paths = packed[0].files.map(({ path }) => path);
  for (const wanted of [
    'bin/fairlead.js',
    'LICENSE',
    'README.md',
    'docs/configuration.md',
    'examples/forward.yaml',
    'examples/basic-auth.htpasswd',
  ])
    assert.ok(paths.includes(wanted), wanted);
  const strangers = paths.filter(path => /^(src|test|loadtest|scripts|node_modules)\//.test(path));
  assert.deepEqual(strangers, []);
});

const CONFIG_FILE = join(folder, 'fairlead.yaml');
writeFileSync(
  CONFIG_FILE,
  [
    'version: 1',
    'admin: { address: off }',
    'listeners: { main: { address: 127.0.0.1:0 } }',
    'routes: [{ name: all, match: { path: { prefix: / } }, respond: { status: 200 } }]',
    'clusters: {}',
  ].join('\n'),
);

/** The texts of docs/reasons.md are inside. */
const REASON = /^no_route: No route matches this request\.[\s\S]*\nWhat to change\n/;

test('what npm pack makes runs with its production dependencies alone', async () => {
  const source = join(folder, 'package');
  mkdirSync(source);
  buildDist(source);
  for (const path of ['package.json', 'bin', 'examples', 'docs', 'README.md', 'CHANGELOG.md', 'LICENSE'])
    cpSync(join(ROOT, path), join(source, path), { recursive: true });
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(execFileSync('npm', args, { cwd: source, encoding: 'utf8' }));
  // As npm lays it out: the package beside those that it needs.
  const installed = join(folder, 'installed');
  const own = join(installed, 'node_modules/fairlead');
  mkdirSync(own, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', own, '--strip-components=1']);
  copyProductionPackages(installed);
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
  const program = join(own, 'bin/fairlead.js');
  assert.equal(execFileSync(program, ['--version'], { env, encoding: 'utf8' }), `fairlead ${version}\n`);
  assert.match(execFileSync(program, ['explain', 'no_route'], { env, encoding: 'utf8' }), REASON);
  await servesAndDrains(program, CONFIG_FILE, { env });
});

test('the single executable needs no Node, no package and no checkout', async () => {
  script('build_executable.ts', join(folder, 'executable'));
  const program = join(folder, 'executable/fairlead');
  const nowhere = { cwd: folder, env: { PATH: '/nowhere' }, encoding: 'utf8' } as const;
  assert.equal(execFileSync(program, ['--version'], nowhere), `fairlead ${version}\n`);
  assert.match(execFileSync(program, ['explain', 'no_route'], nowhere), REASON);
  await servesAndDrains(program, guardedConfig(), { headers: LOGIN });
});

const DPKG = findProgram('dpkg') === null ? { skip: 'not Debian: there is no dpkg' } : {};

test(
  'the Debian package installs, runs, and leaves the configuration behind when it goes',
  DPKG,
  async () => {
    script('build_debian.ts', folder); // takes the executable of the test before, where there is one
    const file = execFileSync('sh', ['-c', 'ls *.deb'], { cwd: folder, encoding: 'utf8' }).trim();
    const root = join(folder, 'root');
    mkdirSync(join(root, 'var/lib/dpkg/info'), { recursive: true });
    mkdirSync(join(root, 'var/lib/dpkg/updates'));
    for (const name of ['status', 'available']) writeFileSync(join(root, 'var/lib/dpkg', name), '');
    const dpkg = (...args: readonly string[]) =>
      execFileSync(
        'dpkg',
        // A root of its own has no libc6; its scripts run here, where they find no systemd of that root.
        [
          `--root=${root}`,
          '--log=/dev/null',
          '--force-depends',
          '--force-not-root',
          '--force-script-chrootless',
          ...args,
        ],
        { cwd: folder, stdio: 'pipe' },
      );
    dpkg('--install', file);
    const program = join(root, 'usr/bin/fairlead');
    const configFile = join(root, 'etc/fairlead/fairlead.yaml');
    assert.equal(execFileSync(program, ['--version'], { encoding: 'utf8' }), `fairlead ${version}\n`);
    execFileSync(program, ['check', '--config', configFile], { stdio: 'pipe' });
    const unit = readFileSync(join(root, 'usr/lib/systemd/system/fairlead.service'), 'utf8');
    assert.match(unit, /^ExecStart=\/usr\/bin\/fairlead run --config \/etc\/fairlead\/fairlead.yaml$/m);
    for (const file of ['man/man1/fairlead.1.gz', 'bash-completion/completions/fairlead'])
      assert.ok(existsSync(join(root, 'usr/share', file)), file);
    const copyright = readFileSync(join(root, 'usr/share/doc/fairlead/copyright'), 'utf8');
    assert.match(copyright, /^==== undici /m, 'the licences of what is inside the executable');
    for (const socket of ['fairlead.socket', 'fairlead-https.socket'])
      assert.ok(existsSync(join(root, 'usr/lib/systemd/system', socket)), socket);
    const free = readFileSync(configFile, 'utf8').replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:0');
    writeFileSync(configFile, free);
    await servesAndDrains(program, configFile);

    dpkg('--install', file);
    assert.equal(readFileSync(configFile, 'utf8'), free, 'an upgrade keeps what the operator has written');
    dpkg('--remove', 'fairlead');
    assert.equal(existsSync(program), false);
    assert.ok(existsSync(configFile), 'a conffile stays until it is purged');
    dpkg('--purge', 'fairlead');
    assert.equal(existsSync(configFile), false);
  },
);
