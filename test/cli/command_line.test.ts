// What `main.test.ts` does not ask from outside: the edges between an option, a word too many and the environment.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommandLine } from '../../src/cli/command_line.ts';
import { Signals } from '../../src/lifecycle/signals.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { captured } from './captured.ts';
import { configFile } from './config_file.ts';

const good = configFile('good.yaml', forwardTo(['127.0.0.1:1']));
const run = (...words: string[]) =>
  captured(() => runCommandLine(words, new Signals(process, () => assert.fail('no signal has come'))));

async function withEnvironment<T>(change: Record<string, string>, use: () => Promise<T>): Promise<T> {
  const before = Object.fromEntries(Object.keys(change).map(name => [name, process.env[name]]));
  Object.assign(process.env, change);
  try {
    return await use();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

test('a file without --config is one word too many, and the hint says how to name it', async () => {
  const { code, err } = await run('check', good);
  assert.equal(code, 64);
  assert.match(err, /"check" takes no argument, not 1; use --config FILE/);
  assert.match(
    (await run('rollback', 'a', 'b')).err,
    /"rollback" takes one argument at most \(DIGEST\), not 2/,
  );
  assert.match((await run('schema', 'x')).err, /"schema" takes no argument, not 1\n/);
  assert.match((await run('endpoint', 'drain')).err, /\(ACTION CLUSTER ENDPOINT\), not 1\n/, 'too few');
});

test('a command by its name in another tool is answered with ours', async () => {
  assert.match((await run('validate')).err, /unknown command "validate" \(did you mean "check"\?\)/);
  assert.match((await run('constructor')).err, /unknown command "constructor"\n/);
});

test('an option that a command does not have is bad usage, and not an internal error', async () => {
  const { code, err } = await run('schema', '--config', good);
  assert.equal(code, 64);
  assert.doesNotMatch(err, /internal/);
  assert.equal((await run('plan', '--json')).code, 64);
});

test('help behind a command is the help of that command, whatever else stands there', async () => {
  const { code, out } = await run('rollback', 'a', 'b', '--help');
  assert.deepEqual([code, out.startsWith('Usage: fairlead rollback')], [0, true]);
  assert.equal((await run('help', 'rollback')).out, out);
  assert.match((await run('help')).out, /^fairlead: a reverse proxy/);
});

test('help after -- is no help', async () => {
  const { code, out } = await run('rollback', '--', 'a', '--help');
  assert.deepEqual([code, out], [64, '']);
});

test('a command that is misspelt is unknown, and the one that was meant is named', async () => {
  assert.match(
    (await run('chekc')).err,
    /unknown command "chekc" \(did you mean "check"\?\)\nTry: fairlead --help/,
  );
  assert.match((await run('help', 'statsu')).err, /unknown command "statsu" \(did you mean "status"\?\)/);
  assert.match((await run()).err, /a command is missing/);
  assert.match((await run('--config', good, 'check')).err, /unknown option --config; options come after/);
});

test('an option that is misspelt names the one that was meant, and the help of its command', async () => {
  const { code, err } = await run('plan', '--orgins');
  assert.equal(code, 64);
  assert.match(
    err,
    /"plan" has no option --orgins \(did you mean "--origins"\?\)\nTry: fairlead plan --help/,
  );
});

test('--config goes before the environment, and an empty variable is none', async () => {
  const absent = '/nowhere/at/all.yaml';
  assert.equal(await withEnvironment({ FAIRLEAD_CONFIG: good }, async () => (await run('check')).code), 0);
  await withEnvironment({ FAIRLEAD_CONFIG: absent }, async () => {
    assert.equal((await run('check', '-c', good)).code, 0);
    assert.match((await run('check')).err, /\/nowhere\/at\/all\.yaml/);
  });
});

test('without any file a command says where it has looked, with the code of a file that cannot be read', async () => {
  await withEnvironment({ FAIRLEAD_CONFIG: '' }, async () => {
    const { code, err } = await run('check');
    assert.equal(code, 66);
    assert.match(
      err,
      /neither \.\/fairlead\.yaml nor \/etc\/fairlead\/fairlead\.yaml exists\. .*"fairlead init"/,
    );
  });
});

test('explain wants a URL or the id of a request, and takes a header as often as it is given', async () => {
  assert.match((await run('explain', '-c', good)).err, /explain needs a URL, --request ID or a reason/);
  const headers = ['-H', 'x-one: 1', '-H', 'x-two: 2'];
  const { code, out } = await run('explain', '-c', good, '-X', 'PUT', ...headers, 'http://app.test/a');
  assert.equal(code, 0);
  assert.match(out, /request {4}PUT app\.test\/a\n/);
  assert.match(out, /x-one: 1\n +x-two: 2/);
});
