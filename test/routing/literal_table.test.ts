import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, LiteralTable, type Named } from '../../src/routing/literal_table.ts';

function named(name: string): Named {
  return { name, hash: hashOf(name, 0, name.length) };
}

test('a name is found as a part of a text, whole and nothing else', () => {
  const table = new LiteralTable<Named>();
  const users = named('users');
  table.add(users);
  table.add(named(''));
  assert.equal(table.find('/users/1', 1, 6), users);
  assert.equal(table.find('/users/1', 1, 5), null);
  assert.equal(table.find('/users/1', 0, 6), null);
  assert.equal(table.find('/x/', 3, 3)?.name, '', 'an empty segment is a name too');
});

test('names whose hashes are the same do not stand in for each other', () => {
  const table = new LiteralTable<Named>();
  const hash = hashOf('c', 0, 1);
  for (const name of ['a', 'b', 'c']) table.add({ name, hash });
  assert.equal(table.find('c', 0, 1)?.name, 'c');
  table.add({ name: 'd', hash: hashOf('dd', 0, 2) });
  assert.equal(table.find('dd', 0, 2), null, 'a part of the text is not the text');
});

test('ten thousand names are all found again, and no other', () => {
  const table = new LiteralTable<Named>();
  for (let at = 0; at < 10_000; at++) table.add(named(`name${at}`));
  for (let at = 0; at < 10_000; at++)
    assert.equal(table.find(`/name${at}/`, 1, `name${at}`.length + 1)?.name, `name${at}`);
  for (let at = 10_000; at < 20_000; at++) assert.equal(table.find(`name${at}`, 0, 9), null);
});
