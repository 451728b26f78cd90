import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { confirm, isTerminal } from '../../src/cli/confirm.ts';

async function given(text: string): Promise<[boolean, string]> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  input.end(text);
  return [await confirm('Continue? [y/N] ', input, output), String(output.read())];
}

test('only a yes is a yes; an empty line, another word and the end of the input are a no', async () => {
  assert.deepEqual(await given('y\n'), [true, 'Continue? [y/N] ']);
  assert.equal((await given(' YES \n'))[0], true);
  for (const text of ['\n', 'n\n', 'yesterday\n', '']) assert.equal((await given(text))[0], false, text);
});

test('a script is not asked: one end that is no terminal is enough', () => {
  assert.equal(isTerminal({ isTTY: true }, { isTTY: true }), true);
  assert.equal(isTerminal({ isTTY: true }, {}), false);
  assert.equal(isTerminal({}, { isTTY: true }), false);
});
