/** The completion scripts in the shells themselves. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { COMMANDS } from '../../src/cli/commands.ts';
import { completionScript, isShell, SHELLS } from '../../src/cli/completion.ts';
import { needs, program } from '../support/programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-completion-'));
after(() => rmSync(folder, { recursive: true }));
for (const shell of SHELLS) writeFileSync(join(folder, shell), completionScript(shell, COMMANDS));
writeFileSync(join(folder, 'site.yaml'), '');

function run(file: string, args: readonly string[]): string[] {
  const { stdout, stderr, status } = spawnSync(file, args, { encoding: 'utf8', cwd: folder });
  assert.deepEqual([status, stderr], [0, ''], args.join(' '));
  return stdout.split('\n').filter(line => line !== '');
}

/** What bash offers for the last of these words. */
function inBash(...words: string[]): string[] {
  const script = `source ./bash; COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _fairlead; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run('bash', ['-c', script]);
}

test('bash completes commands, options, words and files', () => {
  assert.deepEqual(inBash('fairlead', 'pl'), ['plan']);
  assert.deepEqual(inBash('fairlead', '').length, COMMANDS.length + 3, 'every command, help and the options');
  assert.deepEqual(inBash('fairlead', 'plan', '--or'), ['--origins']);
  assert.deepEqual(inBash('fairlead', 'plan', '--config', 'si'), ['site.yaml']);
  assert.deepEqual(inBash('fairlead', 'explain', '-X', 'P'), ['POST', 'PUT', 'PATCH']);
  assert.deepEqual(inBash('fairlead', 'diff', 'si'), ['site.yaml']);
  assert.deepEqual(inBash('fairlead', 'completion', 'z'), ['zsh']);
  assert.deepEqual(inBash('fairlead', 'help', 'dr'), ['drain']);
  assert.deepEqual(inBash('fairlead', 'run', 'si'), [], 'run takes no argument');
});

test('bash offers every option of every command', () => {
  for (const { name, options } of COMMANDS)
    assert.deepEqual(
      inBash('fairlead', name, '--').toSorted(),
      [...options.map(option => `--${option.name}`), '--help'].toSorted(),
    );
});

test('fish completes commands, options, words and files', needs('fish'), () => {
  const inFish = (line: string) =>
    run(program('fish'), ['--no-config', '-c', `source ./fish; complete -C '${line}'`]).map(
      found => found.split('\t')[0],
    );
  assert.deepEqual(inFish('fairlead pl'), ['plan']);
  assert.deepEqual(inFish('fairlead plan --or'), ['--origins']);
  assert.ok(inFish('fairlead plan --config si').includes('site.yaml'));
  assert.deepEqual(inFish('fairlead completion z'), ['zsh']);
});

test('zsh takes the script and uses it for fairlead', needs('zsh'), () => {
  const zsh = program('zsh');
  assert.deepEqual(run(zsh, ['-n', './zsh']), []);
  const script = 'autoload -U compinit; compinit -u -D; source ./zsh; print $_comps[fairlead]';
  assert.deepEqual(run(zsh, ['-f', '-c', script]), ['_fairlead']);
});

test('only three shells have a script', () => {
  assert.deepEqual(['bash', 'zsh', 'fish', 'sh', ''].filter(isShell), ['bash', 'zsh', 'fish']);
});
