import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StateRegistry } from '../../src/resilience/state_registry.ts';

test('state lives as long as plans ask for its key, and is disposed of once', () => {
  const registry = new StateRegistry();
  const disposed: string[] = [];
  const make = (name: string) => () => ({ name, dispose: () => disposed.push(name) });
  const first = registry.getOrCreate('a', make('a1'));
  registry.getOrCreate('b', make('b1'));
  registry.retainUsed();
  assert.equal(registry.getOrCreate('a', make('a2')), first, 'the next plan finds it');
  registry.retainUsed();
  assert.deepEqual(disposed, ['b1'], 'nobody asked for b');
  registry.dispose();
  assert.deepEqual(disposed, ['b1', 'a1']);
});

test('a key that was asked for again is kept, though an older plan asked first', () => {
  const registry = new StateRegistry();
  const disposed: string[] = [];
  const ask = (key: string) => registry.getOrCreate(key, () => ({ dispose: () => disposed.push(key) }));
  for (const keys of ['ab', 'bc', 'c', '']) {
    for (const key of keys) ask(key);
    registry.retainUsed();
  }
  assert.deepEqual(disposed, ['a', 'b', 'c']);
  const again = ask('a');
  registry.retainUsed();
  assert.equal(ask('a'), again, 'a key that comes back begins anew');
});
