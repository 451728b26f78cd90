/** The command line from outside: what each command prints, and with which code it ends (CONTRACT section 1). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fairlead-main-'));
after(() => rmSync(folder, { recursive: true }));

const GOOD = `version: 1
admin: { address: off }
listeners:
  main: { address: 127.0.0.1:8080 }
routes:
  - name: api
    match: { path: { prefix: /v1 } }
    forward: { cluster: app }
    rewrite: { stripPrefix: /v1 }
clusters:
  app:
    endpoints: [127.0.0.1:9000]
    health: { active: { path: /healthz } }
`;
const BROKEN = GOOD.replace('endpoints', 'endpoint').replace('cluster: app', 'cluster: ap');

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function fairlead(args: readonly string[], env: NodeJS.ProcessEnv = {}): Result {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, ...args],
    {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    },
  );
  return { code: status, out: stdout, err: stderr };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const good = file('good.yaml', GOOD);
const broken = file('broken.yaml', BROKEN);

test('help and version are asked for with code 0', () => {
  assert.match(fairlead(['--version']).out, /^fairlead \d+\.\d+\.\d+\n$/);
  const help = fairlead(['--help']);
  assert.equal(help.code, 0);
  for (const command of ['run', 'check', 'plan', 'explain', 'schema', 'demo'])
    assert.match(help.out, new RegExp(`^  ${command} `, 'm'));
});

test('bad usage has exit code 64 and a message', () => {
  const bad: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /a command is missing/],
    [['serve'], /unknown command "serve"/],
    [['check', '--confg', good], /--confg/],
    [['explain', '--config', good], /needs a URL, --request ID or a reason/],
    [['diff', 'one.yaml'], /"diff" takes two arguments \(OLD NEW\), not 1/],
    [['rollback', 'a', 'b'], /one argument at most/],
  ];
  for (const [args, message] of bad) {
    const { code, out, err } = fairlead(args);
    assert.equal(code, 64, args.join(' '));
    assert.match(err, message);
    assert.equal(out, '', 'nothing for a program to read');
  }
});

test('check says that a good file is good', () => {
  const { code, out } = fairlead(['check', '--config', good]);
  assert.equal(code, 0);
  assert.match(out, /^good\.yaml: valid/);
});

test('check finds all problems at once, each with its place and a suggestion', () => {
  const { code, err } = fairlead(['check', '--config', broken]);
  assert.equal(code, 78);
  assert.match(err, /^broken\.yaml:12:5: error: .*"endpoint".*did you mean "endpoints"/m);
  assert.match(err, /^ *\| *\^/m, 'a caret below the place');
  assert.doesNotMatch(err, /\x1b\[/, 'colour is for terminals');
});

test('check --json is for programs', () => {
  const { code, out } = fairlead(['check', '--json', '--config', broken]);
  assert.equal(code, 78);
  const { valid, problems } = JSON.parse(out) as { valid: boolean; problems: readonly { line: number }[] };
  assert.equal(valid, false);
  assert.ok(problems.some(({ line }) => line === 12));
  const missing = fairlead(['check', '--json', '--config', join(folder, 'nothing.yaml')]);
  assert.deepEqual([missing.code, JSON.parse(missing.out).valid], [66, false]);
});

test('a file that is not there is code 66', () => {
  for (const command of ['check', 'run']) {
    const { code, err } = fairlead([command, '--config', join(folder, 'nothing.yaml')]);
    assert.equal(code, 66, command);
    assert.match(err, /nothing\.yaml/);
  }
});

test('FAIRLEAD_CONFIG names the file when --config does not', () => {
  assert.equal(fairlead(['check'], { FAIRLEAD_CONFIG: good }).code, 0);
  assert.equal(fairlead(['check'], { FAIRLEAD_CONFIG: broken }).code, 78);
});

test('the plan is the same each time, complete, and tells where each value comes from', () => {
  const first = fairlead(['plan', '--config', good]);
  assert.equal(first.code, 0);
  assert.equal(first.out, fairlead(['plan', '--config', good]).out);
  const plan = JSON.parse(first.out) as { digest: string; clusters: { app: { pool: { idleMs: number } } } };
  assert.match(plan.digest, /^[0-9a-f]{64}$/);
  assert.equal(plan.clusters.app.pool.idleMs, 4_000, 'defaults are written out');
  const { origins } = JSON.parse(fairlead(['plan', '--origins', '--config', good]).out) as {
    origins: Record<string, string>;
  };
  const places = new Set(Object.values(origins));
  assert.ok(places.has('default') && [...places].some(place => /good\.yaml:\d+:\d+/.test(place)));
});

test('explain names the route, the rewritten target and what the backend would see', () => {
  const { code, out } = fairlead([
    'explain',
    '--config',
    good,
    '--json',
    '-H',
    'x-a: 1',
    'http://any.test/v1/users?x=1',
  ]);
  assert.equal(code, 0);
  const { route, upstream } = JSON.parse(out) as {
    route: string;
    upstream: { target: string; headers: readonly string[] };
  };
  assert.equal(route, 'api');
  assert.equal(upstream.target, '/users?x=1');
  assert.equal(upstream.headers[upstream.headers.indexOf('x-a') + 1], '1');
  const none = fairlead(['explain', '--config', good, 'http://any.test/elsewhere']);
  assert.equal(none.code, 1);
  assert.match(none.out, /404 no_route/);
});

test('explain refuses a question about a request that could not come, and explains a reason', () => {
  const asked = (...words: string[]) => fairlead(['explain', '--config', good, ...words]);
  for (const [words, message] of [
    [['http://any.test:1/'], /^fairlead: no listener has port 1; listeners: /],
    [['https://any.test/v1'], /does not speak TLS; ask for http:\/\/any\.test\/v1/],
    [['any.test/v1'], /is not a whole URL; write it like http:\/\/any\.test\/v1/],
    [['--client-ip', '10.0.0.300', 'http://any.test/'], /"10\.0\.0\.300" is not an IP address/],
    [['-H', 'x', 'http://any.test/'], /must be written as "name: value"/],
    [['tls_faild'], /unknown reason "tls_faild" \(did you mean "tls_failed"\?\)/],
  ] as const) {
    const { code, err } = asked(...words);
    assert.equal(code, 64, words.join(' '));
    assert.match(err, message);
  }
  const { code, out } = fairlead(['explain', 'tls_failed']);
  assert.equal(code, 0);
  assert.match(out, /What it means[\s\S]*How to find the cause[\s\S]*What to change/);
});

test('the schema is JSON that an editor understands', () => {
  const { code, out } = fairlead(['schema']);
  assert.equal(code, 0);
  const schema = JSON.parse(out) as { $schema: string; properties: Record<string, unknown> };
  assert.match(schema.$schema, /json-schema\.org/);
  assert.deepEqual(
    Object.keys(schema.properties).filter(key => ['listeners', 'routes', 'clusters'].includes(key)).length,
    3,
  );
});

test('a bad configuration is code 78 at a start, a taken port 69', async () => {
  assert.equal(fairlead(['run', '--config', broken]).code, 78);
  const holder = createServer();
  await new Promise<void>(resolve => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  const { code, err } = fairlead(['run', '--config', file('taken.yaml', GOOD.replace('8080', String(port)))]);
  assert.equal(code, 69);
  assert.match(err, new RegExp(`127\\.0\\.0\\.1:${port}`), 'which one');
  await new Promise(resolve => holder.close(resolve));
});

test('the message about a taken port names the process that has it', async () => {
  const holder = createServer();
  await new Promise<void>(resolve => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  const text = GOOD.replace('127.0.0.1:8080', '127.0.0.1:0').replace(
    'address: off',
    `address: 127.0.0.1:${port}`,
  );
  const { code, err } = fairlead(['run', '--config', file('taken_admin.yaml', text)]);
  assert.equal(code, 69);
  const named = new RegExp(
    `admin API: cannot listen on 127\\.0\\.0\\.1:${port}: in use by .+ \\(pid ${process.pid}\\)`,
  );
  assert.match(err, process.platform === 'linux' ? named : /another process uses it/);
  await new Promise(resolve => holder.close(resolve));
});

test('a log file that cannot be opened is code 73, and not that of a taken port', () => {
  const text = `${GOOD}logging: { file: ${join(folder, 'no/such/folder/fairlead.log')} }\n`;
  const { code, err } = fairlead(['run', '--config', file('no_log.yaml', text)]);
  assert.deepEqual([code, /logging\.file: .*its directory must exist/.test(err)], [73, true], err);
});

test('explain says that a value comes from the preset, and whom the preset believes', () => {
  const example = (name: string) => fileURLToPath(new URL(`../examples/${name}.yaml`, import.meta.url));
  const chain = 'X-Forwarded-For: 6.6.6.6, 203.0.113.7, 34.1.2.3';
  const asked = ['-H', chain, '-H', 'Forwarded: for=6.6.6.6', 'http://app.test/'];
  const google = fairlead(['explain', '--config', example('gcp-alb'), '--client-ip', '35.191.0.9', ...asked]);
  assert.match(
    google.out,
    /client +203\.0\.113\.7 +\(X-Forwarded-For, from the trusted proxy 35\.191\.0\.9\)/,
  );
  assert.match(google.out, /X-Forwarded-For: 6\.6\.6\.6, 203\.0\.113\.7, 34\.1\.2\.3, 35\.191\.0\.9\n/);
  assert.match(
    google.out,
    /listeners\.main\.timeouts\.keepAliveIdle: 620s \(gcp-alb\.yaml:\d+, preset gcp-alb\)/,
  );
  assert.doesNotMatch(google.out, /Forwarded: for/);
  const stranger = fairlead([
    'explain',
    '--config',
    example('gcp-alb'),
    '--client-ip',
    '192.0.2.1',
    ...asked,
  ]);
  assert.match(stranger.out, /client +192\.0\.2\.1\n/);
  assert.match(stranger.out, / X-Forwarded-For: 192\.0\.2\.1\n/);
  const plan = fairlead(['plan', '--origins', '--config', example('gcp-alb')]);
  assert.match(plan.out, /"listeners\.main\.trustedHops": "gcp-alb\.yaml:\d+:\d+ \(preset gcp-alb\)"/);
});
