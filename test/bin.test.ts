/**
 * The command `fairlead` on a machine with any Node: a copy of bin/fairlead.js in a tree of its own, in front of a
 * small main.ts that tells what reaches it.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const trees: string[] = [];
after(() =>
  trees.forEach(tree => {
    rmSync(tree, { recursive: true });
  }),
);

const MAIN = `
const facts: object = { node: process.versions.node, args: process.argv.slice(2), pid: process.pid };
process.emitWarning('a new thing', 'ExperimentalWarning');
console.log(JSON.stringify(facts));
if (process.argv[2] === 'wait') {
  setInterval(() => {}, 1_000);
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGINT', 'SIGQUIT'] as const) {
    process.on(signal, () => { console.log(signal); if (signal === 'SIGQUIT') process.exit(42); });
  }
  console.log('ready');
} else if (process.argv[2] === 'die') process.kill(process.pid, 'SIGKILL');
else process.exitCode = Number(process.argv[2] ?? 0);
`;

/** How an old Node is played by the new one: it is told that it is old, and with or without \`execve\`. */
type Node = 'new' | 'old with execve' | 'old without execve' | 'really old';

function tree(node: Node, ownNode = true): { readonly command: string; readonly args: readonly string[] } {
  const root = mkdtempSync(join(tmpdir(), 'fairlead-bin-'));
  trees.push(root);
  for (const folder of ['bin', 'src', 'node_modules']) mkdirSync(join(root, folder));
  const text = readFileSync(join(ROOT, 'bin/fairlead.js'), 'utf8');
  const played = node.startsWith('old') ? text.replace('NODE_MAJOR_MIN = 24', 'NODE_MAJOR_MIN = 99') : text;
  writeFileSync(join(root, 'bin/fairlead.js'), played);
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(root, 'src/main.ts'), MAIN);
  if (ownNode) symlinkSync(join(ROOT, 'node_modules/node'), join(root, 'node_modules/node'));
  const preload =
    node === 'old without execve' ? ['--import', 'data:text/javascript,process.execve=undefined'] : [];
  const command = node === 'really old' ? (olderNode() ?? '') : process.execPath;
  return { command, args: [...preload, join(root, 'bin/fairlead.js')] };
}

/** Another Node of this machine, below 24. */
function olderNode(): string | null {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const file = join(folder, 'node');
    const { stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' });
    if (typeof stdout === 'string' && /^v\d+/.test(stdout) && Number.parseInt(stdout.slice(1), 10) < 24)
      return file;
  }
  return null;
}

const NODES: readonly Node[] = ['new', 'old with execve', 'old without execve', 'really old'];

for (const node of NODES) {
  const skip = node === 'really old' && olderNode() === null ? 'no Node below 24 on this machine' : false;

  test(`arguments and exit code pass through, without warnings: ${node} Node`, { skip }, () => {
    const { command, args } = tree(node);
    const { status, stdout, stderr } = spawnSync(command, [...args, '7', '--x', 'y z'], { encoding: 'utf8' });
    assert.equal(stderr, '');
    assert.equal(status, 7);
    const facts = JSON.parse(stdout) as { node: string; args: string[] };
    assert.deepEqual(facts.args, ['7', '--x', 'y z']);
    assert.equal(facts.node, process.versions.node, 'the main file runs on the Node of the project');
  });

  test(`each signal arrives once, and the exit code of the end is kept: ${node} Node`, { skip }, async () => {
    const { command, args } = tree(node);
    const child = spawn(command, [...args, 'wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = linesOf(child);
    await lines.until('ready');
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGINT'] as const) {
      child.kill(signal);
      await lines.until(signal);
    }
    child.kill('SIGQUIT');
    const [code] = await lines.end;
    assert.equal(code, 42);
    assert.deepEqual(lines.seen.slice(2), ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGINT', 'SIGQUIT']);
  });

  test(`a proxy that was killed is seen as killed: ${node} Node`, { skip }, () => {
    const { command, args } = tree(node);
    assert.equal(spawnSync(command, [...args, 'die']).signal, 'SIGKILL');
  });
}

test('an old Node without the one of the project is told what to do', () => {
  const { command, args } = tree('old without execve', false);
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(status, 70);
  assert.match(stderr, /^fairlead: needs Node 99 or newer, this is [\d.]+: install one, or run "npm ci"/);
});

test('the version is the one that the program itself tells, and no other Node is started for it', () => {
  const args = (file: string) => ['--disable-warning=ExperimentalWarning', join(ROOT, file), '--version'];
  const own = spawnSync(process.execPath, args('src/main.ts'), { encoding: 'utf8' });
  assert.equal(spawnSync(process.execPath, args('bin/fairlead.js'), { encoding: 'utf8' }).stdout, own.stdout);
  const { command, args: old } = tree('old without execve', false);
  writeFileSync(join(old.at(-1) ?? '', '../../package.json'), '{ "type": "module", "version": "1.2.3" }');
  assert.equal(spawnSync(command, [...old, '-v'], { encoding: 'utf8' }).stdout, 'fairlead 1.2.3\n');
});

test('a package without source runs what was compiled', () => {
  const { command, args } = tree('new');
  const root = join(args.at(-1) ?? '', '../..');
  rmSync(join(root, 'src'), { recursive: true });
  mkdirSync(join(root, 'dist'));
  writeFileSync(join(root, 'dist/main.js'), 'console.log("compiled")');
  assert.equal(spawnSync(command, args, { encoding: 'utf8' }).stdout, 'compiled\n');
});

test('the link that npm makes leads to the same place', () => {
  const { command, args } = tree('new');
  const root = join(args.at(-1) ?? '', '../..');
  mkdirSync(join(root, 'node_modules/.bin'));
  symlinkSync('../../bin/fairlead.js', join(root, 'node_modules/.bin/fairlead'));
  cpSync(join(ROOT, 'package.json'), join(root, 'package.json'));
  const { status } = spawnSync(command, [join(root, 'node_modules/.bin/fairlead'), '3']);
  assert.equal(status, 3);
});

interface Lines {
  readonly seen: string[];
  readonly end: Promise<[code: number | null, signal: string | null]>;
  until(line: string): Promise<void>;
}

function linesOf(child: ChildProcess): Lines {
  const seen: string[] = [];
  let rest = '';
  let wake = () => {};
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    seen.push(...lines);
    wake();
  });
  const end: Lines['end'] = new Promise(resolve =>
    child.on('close', (code, signal) => resolve([code, signal])),
  );
  return {
    seen,
    end,
    async until(line) {
      while (!seen.includes(line))
        await new Promise<void>(resolve => {
          wake = resolve;
        });
    },
  };
}
