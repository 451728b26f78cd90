import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StateRegistry } from '../../src/resilience/state_registry.ts';
import { FakeClock } from '../support/fake_clock.ts';

test('state lives as long as plans ask for its key, and is disposed of once', () => {
  const registry = new StateRegistry(new FakeClock());
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
  const registry = new StateRegistry(new FakeClock());
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

/** State that is worth keeping as long as it is told so. */
class Known {
  isWorthKeeping = true;
  disposed = 0;
  dispose(): void {
    this.disposed++;
  }
}

test('state worth keeping is kept for ten minutes; healthy state is new when it is asked for again', () => {
  const clock = new FakeClock();
  const registry = new StateRegistry(clock);
  const ask = () => registry.getOrCreate('a', () => new Known());
  const ejected = ask();
  registry.retainUsed();
  registry.retainUsed();
  assert.equal(registry.has('a'), false, 'it is out of use');
  clock.advance(599_999);
  assert.equal(ask(), ejected);
  registry.retainUsed();
  registry.retainUsed();
  clock.advance(600_000);
  const second = ask();
  assert.notEqual(second, ejected);
  registry.retainUsed();
  registry.retainUsed();
  second.isWorthKeeping = false;
  assert.notEqual(ask(), second, 'its ejection has ended meanwhile');
  assert.deepEqual([ejected.disposed, second.disposed], [1, 1]);
});

test('a nested registry keeps what is worth keeping; the end of the process disposes of everything', () => {
  const clock = new FakeClock();
  const registry = new StateRegistry(clock);
  const part = () => registry.getOrCreate('part', () => new StateRegistry(clock));
  const ejected = part().getOrCreate('judged', () => new Known());
  const prober = part().getOrCreate('prober', () => ({
    stops: 0,
    dispose() {
      this.stops++;
    },
  }));
  registry.retainUsed();
  registry.retainUsed();
  assert.deepEqual([ejected.disposed, prober.stops], [0, 1]);
  assert.equal(
    part().getOrCreate('judged', () => new Known()),
    ejected,
  );
  registry.retainUsed();
  registry.retainUsed();
  registry.dispose();
  assert.deepEqual([ejected.disposed, prober.stops], [1, 1]);
});

test('at most 1,024 are kept, the last ones', () => {
  const registry = new StateRegistry(new FakeClock());
  const states = Array.from({ length: 1_025 }, (_, at) => registry.getOrCreate(`s${at}`, () => new Known()));
  registry.retainUsed();
  registry.retainUsed();
  assert.deepEqual(
    states.flatMap(({ disposed }, at) => (disposed > 0 ? [at] : [])),
    [0],
  );
});
