import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SERVING } from '../../src/cli/commands/serving.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { isServing } from '../../src/cli/serving_commands.ts';

test('signals are held for the commands that serve, and for no other', () => {
  const names = COMMANDS.map(({ name }) => name).filter(isServing);
  assert.deepEqual(
    names,
    SERVING.map(({ name }) => name),
  );
  assert.equal(isServing(undefined), false);
});
