// The image of examples/deploy/Dockerfile. No engine builds it here: what its last stage is made of is put together by hand
// and run as a container would be (read-only, not root, PID 1), where the machine permits it.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { NUMBERS } from '../../src/config/schema/defaults.ts';
import { type Copied, copiesOf, instructionOf, parseDockerfile, wordsOf } from '../support/dockerfile.ts';
import { LogLines } from '../support/log_lines.ts';
import { load } from '../support/plan_builder.ts';
import { needs } from '../support/programs.ts';
import { ROOT } from '../support/proxy_under_test.ts';
import { installRelease } from '../support/release.ts';

const NOT_PERMITTED = 77;
const folder = mkdtempSync(join(tmpdir(), 'fairlead-image-'));
after(() => rmSync(folder, { recursive: true }));

const stages = parseDockerfile(readFileSync(join(ROOT, 'examples/deploy/Dockerfile'), 'utf8'));
const [build, image] = stages;
assert(build !== undefined && image !== undefined && stages.length === 2);
const entrypoint = wordsOf(instructionOf(image, 'ENTRYPOINT'));
const healthcheck = instructionOf(image, 'HEALTHCHECK');
const healthCommand = wordsOf(healthcheck.slice(healthcheck.indexOf('[')));
const CONFIG = '/etc/fairlead/fairlead.yaml';
const { plan } = load(readFileSync(join(ROOT, 'examples/deploy/container/fairlead.yaml'), 'utf8'));

test('the image runs Node itself as PID 1, not as root, ends on SIGTERM, and says what it is', () => {
  const [program] = entrypoint;
  assert.equal(program, '/usr/local/bin/node');
  assert.deepEqual(wordsOf(instructionOf(image, 'CMD')), ['run', '--config', CONFIG]);
  assert.match(instructionOf(image, 'USER'), /^[1-9]\d*:[1-9]\d*$/, 'a number that is not 0');
  assert.equal(instructionOf(image, 'STOPSIGNAL'), 'SIGTERM');
  for (const label of ['title', 'description', 'licenses', 'version', 'revision'])
    assert.ok(instructionOf(image, 'LABEL').includes(`org.opencontainers.image.${label}=`), label);
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  assert.ok(image.instructions.some(({ name, args }) => name === 'ARG' && args === `VERSION=${version}`));
  assert.deepEqual(healthCommand, [...entrypoint, 'status', '--ready']);
  assert.ok(
    image.instructions.every(({ name }) => name !== 'RUN'),
    'the last stage runs nothing',
  );
});

test('ports and times of the image go with its configuration', () => {
  const { address } = plan.listeners['main'] ?? assert.fail('no listener');
  assert(address.kind === 'tcp');
  assert.equal(instructionOf(image, 'EXPOSE'), String(address.port));
  const { delayMs, timeoutMs } = plan.process.drain;
  assert.ok(delayMs + timeoutMs < 10_000, 'docker stop kills after 10 s');
  assert.ok(timeoutMs < (NUMBERS['process.drain.timeout'].value ?? 0));
});

test('everything that the build copies is there, and the builder is sent all of it', () => {
  const ignored = readFileSync(join(ROOT, 'examples/deploy/Dockerfile.dockerignore'), 'utf8');
  const sent = [...ignored.matchAll(/^!(.+)$/gm)].map(([, path = '']) => path);
  const wanted = [...copiesOf(build), ...copiesOf(image)]
    .filter(({ from }) => from === null)
    .flatMap(({ sources }) => sources);
  for (const source of wanted) assert.ok(existsSync(join(ROOT, source)), source);
  assert.deepEqual(sent.toSorted(), wanted.toSorted());
});

test('the image has the text of each reason, beside the program', () => {
  const target = '/usr/lib/fairlead/docs/reasons.md';
  assert.ok(copiesOf(image).some(copied => copied.target === target));
});

/** What the file is in the last stage. */
function put(root: string, built: string, { from, sources, target }: Copied): void {
  for (const source of sources) {
    const file = from === null ? join(ROOT, source) : join(built, source.replace(/^\/build\//, ''));
    mkdirSync(dirname(join(root, target)), { recursive: true });
    cpSync(file, join(root, target), { recursive: true });
  }
}

/** Node and the libraries that it is linked to: the base image. */
function putBase(root: string): void {
  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' });
  const files = [...libraries.matchAll(/(?:=> |^\s*)(\/\S+)/gm)].map(([, file = '']) => file);
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    copyFileSync(file, join(root, file)); // most are links
  }
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  cpSync(process.execPath, join(root, 'usr/local/bin/node'));
}

test(
  'the image starts on a read-only file system as user 65532, is healthy, answers, and drains on SIGTERM',
  needs('unshare', 'python3'),
  async context => {
    const root = join(folder, 'root');
    const built = join(folder, 'build');
    mkdirSync(root);
    mkdirSync(built);
    installRelease(built);
    for (const copied of copiesOf(image)) put(root, built, copied);
    putBase(root);
    const run = join(ROOT, 'test/support/container/run.sh');
    const child = spawn('sh', [run, root, ...entrypoint, ...wordsOf(instructionOf(image, 'CMD'))]);
    const ended = once(child, 'close');
    const lines = new LogLines();
    let errors = '';
    child.stdout.on('data', chunk => lines.take(String(chunk)));
    child.stderr.on('data', chunk => {
      errors += chunk;
    });
    void ended.then(([code]) => lines.end(`ended with ${code}: ${errors}`));
    const first = await Promise.race([lines.next({ event: 'phase_changed', to: 'serving' }), ended]);
    if (Array.isArray(first) && first[0] === NOT_PERMITTED) {
      context.skip(errors.trim());
      return;
    }
    const [inside] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
    const status = readFileSync(`/proc/${inside}/status`, 'utf8');
    assert.match(status, /^Uid:\t65532\t65532\t65532\t65532$/m);
    assert.match(status, /^CapEff:\t0+$/m);
    const enter = (...command: readonly string[]) =>
      spawnSync('nsenter', ['--target', String(inside), '--mount', '--pid', '--net', ...command], {
        encoding: 'utf8',
      });
    const chroot = ['chroot', '--userspec=65532:65532', '--groups=', root];
    const health = enter(...chroot, ...healthCommand);
    assert.deepEqual([health.status, health.stdout], [0, 'ready\n'], health.stderr);
    const write = enter(...chroot, '/usr/local/bin/node', '-e', "fs.writeFileSync('/etc/fairlead/x', '')");
    assert.match(write.stderr, /EROFS/);
    const ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/').read().decode())";
    assert.match(enter('python3', '-c', ask).stdout, /^Fairlead runs\./);
    process.kill(Number(inside), 'SIGTERM');
    const [code] = await ended;
    assert.equal(code, 0, errors);
  },
);
