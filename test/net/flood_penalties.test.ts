import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CUTS_MAX, FloodPenalties } from '../../src/net/flood_penalties.ts';

const PENALTY_MS = 10_000;

function cutOften(penalties: FloodPenalties, key: string, times: number, atMs = 0): void {
  for (let time = 0; time < times; time++) penalties.note(key, PENALTY_MS, atMs);
}

test('a client whose connections were cut too often is refused until it has been quiet for the penalty', () => {
  const penalties = new FloodPenalties();
  cutOften(penalties, 'a', CUTS_MAX - 1);
  assert.equal(penalties.isRefused('a', PENALTY_MS, 0), false, 'one cut is still allowed');
  cutOften(penalties, 'a', 1, 100);
  assert.equal(penalties.isRefused('a', PENALTY_MS, 100), true);
  assert.equal(penalties.isRefused('b', PENALTY_MS, 100), false, 'somebody else');
  assert.equal(penalties.isRefused('a', PENALTY_MS, 10_099), true);
  assert.equal(penalties.isRefused('a', PENALTY_MS, 10_100), false);
});

test('connections that were open before and are cut now extend the penalty', () => {
  const penalties = new FloodPenalties();
  cutOften(penalties, 'a', CUTS_MAX);
  cutOften(penalties, 'a', 1, 9_999);
  assert.equal(penalties.isRefused('a', PENALTY_MS, 15_000), true);
  cutOften(penalties, 'a', 1, 15_000);
  assert.equal(penalties.isRefused('a', PENALTY_MS, 24_999), true);
});

test('a cut now and then is not a flood', () => {
  const penalties = new FloodPenalties();
  for (let atMs = 0; atMs < 1_000_000; atMs += 1_000) cutOften(penalties, 'a', 1, atMs);
  assert.equal(penalties.isRefused('a', PENALTY_MS, 999_000), false);
});

test('one cut is enough for a client that was refused lately, and its penalty doubles, until it is forgotten', () => {
  const penalties = new FloodPenalties();
  cutOften(penalties, 'a', CUTS_MAX);
  assert.equal(penalties.isRefused('a', PENALTY_MS, 59_000), false);
  assert.equal(penalties.note('a', PENALTY_MS, 59_000), true);
  assert.equal(penalties.isRefused('a', PENALTY_MS, 78_999), true);
  assert.equal(penalties.isRefused('a', PENALTY_MS, 79_000), false);
  assert.equal(penalties.note('a', PENALTY_MS, 179_000), false, 'six penalties of peace');
});

test('no penalty is longer than 64 times the setting', () => {
  const penalties = new FloodPenalties();
  cutOften(penalties, 'a', CUTS_MAX);
  let atMs = 0;
  for (let time = 0; time < 20; time++) {
    atMs += 64 * PENALTY_MS;
    if (!penalties.isRefused('a', PENALTY_MS, atMs)) cutOften(penalties, 'a', CUTS_MAX, atMs);
  }
  assert.equal(penalties.isRefused('a', PENALTY_MS, atMs + 64 * PENALTY_MS), false);
});

test('of more clients than the table holds, the one that was cut longest ago is forgotten', () => {
  const penalties = new FloodPenalties();
  cutOften(penalties, 'first', CUTS_MAX);
  cutOften(penalties, 'second', CUTS_MAX);
  for (let client = 0; client < 4_095; client++) cutOften(penalties, `other ${client}`, 1);
  assert.equal(penalties.isRefused('first', PENALTY_MS, 0), false);
  assert.equal(penalties.isRefused('second', PENALTY_MS, 0), true);
});
