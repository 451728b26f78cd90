import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prettyTime } from '../../src/observability/pretty_time.ts';

test('a person reads the local time of day, or the whole instant', context => {
  const before = process.env.TZ;
  context.after(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });
  process.env.TZ = 'Asia/Kolkata';
  const atMs = Date.UTC(2026, 10, 29, 3, 4, 5, 6);
  assert.equal(prettyTime('epoch', atMs), '08:34:05.006');
  assert.equal(prettyTime('iso', atMs), '2026-11-29T03:04:05.006Z');
});
