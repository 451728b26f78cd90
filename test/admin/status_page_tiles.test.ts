import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sample } from '../../src/admin/samples.ts';
import { tiles } from '../../src/admin/status_page_tiles.ts';
import { pageView } from './page_view.ts';

const sample = (change: Partial<Sample>): Sample => ({
  requests: 0,
  failed: 0,
  active: 0,
  tunnels: 0,
  loopDelayMs: 0,
  p95Ms: 0,
  overheadMs: 0,
  loopShare: 0,
  cpuShare: 0,
  ...change,
});
const rateLine = (samples: readonly Sample[]) =>
  /id="l-rate".*?<path d="([^"]*)"/.exec(tiles(pageView([], { samples })).text)?.[1];

test('the newest sample is at the right, and a level line is one step, so that an idle one stays the same', () => {
  assert.equal(rateLine(Array.from({ length: 60 }, () => sample({}))), 'M0 22h118');
  assert.equal(rateLine([sample({}), sample({})]), 'M116 22h2');
  assert.equal(
    rateLine([sample({}), sample({}), sample({ requests: 4 }), sample({ requests: 2 })]),
    'M112 22h2l2 -20l2 10',
  );
});

test('before the first sample there is no line, and no number that is none', () => {
  assert.doesNotMatch(tiles(pageView([])).text, /NaN|undefined/);
});
