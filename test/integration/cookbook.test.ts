/**
 * docs/cookbook.md: each recipe is the file in examples/ that it names, and its commands print what the page says, with real
 * backends, curl and the command line; only ports are others. `UPDATE_GOLDEN=1` copies the files into the page.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { runCommandLine } from '../../src/cli/command_line.ts';
import { Signals } from '../../src/lifecycle/signals.ts';
import { captured } from '../cli/captured.ts';
import * as certificates from '../support/certificates.ts';
import {
  blockOf,
  readPage,
  replaceAll,
  type Section,
  sectionsOf,
  shellWords,
} from '../support/documented_blocks.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { load } from '../support/plan_builder.ts';
import { needs, program } from '../support/programs.ts';
import { ROOT, startProxy } from '../support/proxy_under_test.ts';
import { closedPort } from '../support/scripted_backend.ts';

process.env['TLS_DIR'] = dirname(certificates.server.certFile);

const page = readPage('cookbook.md');
const recipes = sectionsOf(page);
/** Examples that are not recipes, each with the reason. */
const NO_RECIPES = {
  'demo.yaml': 'what npm start runs',
  'edge.yaml': 'many features at once, for tests',
  'limits.yaml': 'named by the recipe for logins',
  'shared-limits.yaml': 'named by the recipe for logins; test/integration/limit_stores.test.ts runs it',
  'private-backend.yaml': 'named by the recipe for mTLS',
};

const folder = mkdtempSync(join(tmpdir(), 'fairlead-cookbook-'));
/** The ports of the page, and what they are here. */
const backends = new Map<string, string>();
let end = async () => {};

before(async () => {
  const script = blockOf(page, 'js');
  for (const port of script.match(/\b9\d{3}\b/g) ?? []) backends.set(port, String(await closedPort()));
  assert.equal(backends.size, 3);
  const ours = script.replaceAll(/\b9\d{3}\b/g, port => backends.get(port) ?? port);
  const child = spawn(process.execPath, ['-e', `${ours}; console.log("started")`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  end = async () => {
    child.kill('SIGKILL');
    await once(child, 'close');
  };
});
after(async () => {
  await end();
  rmSync(folder, { recursive: true });
});

checkLeaks(); // behind `after` above, which ends the backends

function fileOf({ text, title }: Section): string {
  const file = /^`(examples\/[\w-]+\.yaml)`:$/m.exec(text)?.[1];
  assert.ok(file !== undefined, title);
  return file;
}

test('each recipe shows its file, without the line for editors, and each example is a recipe', () => {
  let current = page;
  for (const recipe of recipes) {
    const file = readFileSync(join(ROOT, fileOf(recipe)), 'utf8').replace(
      /^# yaml-language-server: .*\n/,
      '',
    );
    const shown = blockOf(recipe.text, 'yaml');
    if (process.env['UPDATE_GOLDEN'] === '1') current = current.replace(shown, () => file);
    else assert.equal(shown, file, `${recipe.title} (UPDATE_GOLDEN=1 copies the file)`);
  }
  if (current !== page) writeFileSync(join(ROOT, 'docs/cookbook.md'), current);
  const files = globSync(join(ROOT, 'examples/*.yaml')).map(file => basename(file));
  const expected = [...recipes.map(recipe => basename(fileOf(recipe))), ...Object.keys(NO_RECIPES)];
  assert.deepEqual(expected.toSorted(), files.toSorted());
  for (const named of ['limits.yaml', 'shared-limits.yaml', 'private-backend.yaml'])
    assert.ok(page.includes(`../examples/${named}`), named);
});

for (const recipe of recipes) {
  const file = fileOf(recipe);
  test(`${file}: ${recipe.title}`, needs('curl'), async () => {
    const ports = new Map(backends);
    const text = readFileSync(join(ROOT, file), 'utf8');
    const { listeners } = load(text, join(ROOT, file)).plan;
    let config = text
      .replace(/(?<=drain: \{ delay: )\d+s/, '0s')
      .replaceAll(/(?:127\.0\.0\.1|0\.0\.0\.0):(?:9901|8\d{3})\b(?!\])/g, '127.0.0.1:0');
    for (const [port, here] of ports) config = config.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${here}`);
    config = config.replaceAll(/(?<=file: )[\w.-]+\.htpasswd|(?<=bodyFile: )[\w.-]+\.html/gi, name =>
      join(ROOT, 'examples', name),
    );
    await using proxy = await startProxy(config);
    for (const [name, { address }] of Object.entries(listeners))
      if (address.kind === 'tcp') ports.set(String(address.port), String(proxy.target(name).port));

    const printed = await run(blockOf(recipe.text, 'sh'), ports);
    let from = 0;
    for (const line of blockOf(recipe.text, 'text').trimEnd().split('\n')) {
      const at = printed.indexOf(line, from);
      assert.ok(at >= 0, `"${line}" is not in, or not in this order:\n${printed}`);
      from = at + line.length;
    }
  });
}

test('the commands of the TLS recipes make certificates for their files', needs('openssl'), async () => {
  const commandsOf = (start: string) =>
    blockOf(recipes.find(({ title }) => title.startsWith(start))?.text ?? '', 'bash');
  const cwd = join(folder, 'certificates');
  mkdirSync(cwd);
  const PATH = `${dirname(program('openssl'))}:${process.env['PATH']}`;
  const commands = `${commandsOf('TLS, ')}\n${commandsOf('Client certificates')}
    openssl verify -purpose sslclient -CAfile $TLS_DIR/ca.crt $TLS_DIR/client.crt`;
  await promisify(execFile)('sh', ['-ec', commands], { cwd, env: { ...process.env, PATH } });
  const text = readFileSync(join(ROOT, 'examples/tls.yaml'), 'utf8');
  const { warnings } = load(replaceAll(text, { '${TLS_DIR:-/etc/fairlead/tls}': join(cwd, 'tls') }));
  assert.deepEqual(warnings, []);
  assert.ok(existsSync(join(cwd, 'tls/ca.crt')));
});

/** What the commands print, with the ports of the page. */
async function run(commands: string, ports: ReadonlyMap<string, string>): Promise<string> {
  const lines = commands.replaceAll('\\\n', ' ').trimEnd().split('\n');
  let printed = '';
  for (const line of lines)
    printed += await (line.startsWith('fairlead ') ? ownCommand(line) : shell(line, ports));
  for (const [port, real] of ports) printed = printed.replaceAll(new RegExp(`\\b${real}\\b`, 'g'), port);
  return printed;
}

/** In this process, which is quicker. It opens no port: `explain` reads the file as it is in examples/. */
async function ownCommand(line: string): Promise<string> {
  const words = shellWords(line.replaceAll(' examples/', ` ${join(ROOT, 'examples/')}`)).slice(1);
  const signals = new Signals(process, () => assert.fail('no signal has come'));
  const { out, err } = await captured(() => runCommandLine(words, signals));
  return out + err;
}

async function shell(line: string, ports: ReadonlyMap<string, string>): Promise<string> {
  const here = line.replaceAll(/(?<=(?:127\.0\.0\.1|localhost):)\d+/g, port => ports.get(port) ?? port);
  const PATH = `${dirname(program('curl'))}:${process.env['PATH']}`;
  const options = { env: { ...process.env, PATH }, timeout: 60_000 };
  return new Promise(resolve => {
    execFile('sh', ['-c', here], options, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}
