import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentCounts } from '../../src/resilience/recent_counts.ts';

test('what happened is counted by subject and cause, and forgotten after a minute', () => {
  const recent = new RecentCounts();
  recent.add('main', 'version', 1_000);
  recent.add('main', 'version', 2_000, 4);
  recent.add('other', 'version', 2_000);
  recent.add('main', 'left', 30_000);
  assert.deepEqual(recent.list(59_999), [
    { about: 'main', cause: 'version', count: 5 },
    { about: 'other', cause: 'version', count: 1 },
    { about: 'main', cause: 'left', count: 1 },
  ]);
  assert.deepEqual(recent.list(60_000), [{ about: 'main', cause: 'left', count: 1 }]);
  assert.deepEqual(recent.list(90_000), []);
});

test('a pair that is old makes room for a new one, and can come back', () => {
  const recent = new RecentCounts();
  recent.add('removed', 'left', 0);
  recent.add('main', 'left', 100_000);
  recent.add('removed', 'left', 100_001);
  assert.deepEqual(
    recent.list(100_001).map(({ about }) => about),
    ['main', 'removed'],
    'the old pair was deleted, so it is the younger one now',
  );
});
