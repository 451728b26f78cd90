// What waits in the process has a limit, and whoever is in the way for longest gives way first.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferAccount, type Holder } from '../../src/resilience/buffer_account.ts';

function accountOf(limitBytes: number | null) {
  const account = new BufferAccount(limitBytes);
  const gone: string[] = [];
  const holder = (name: string): Holder => ({
    heldBytes: 0,
    giveUp() {
      gone.push(name);
      account.hold(this, 0); // as everybody does whose request ends
    },
  });
  return { account, gone, holder };
}

test('the bytes of all holders are added up, and a holder that says less or nothing gives them back', () => {
  const { account, gone, holder } = accountOf(null);
  const [a, b] = [holder('a'), holder('b')];
  account.hold(a, 100);
  account.keep(b, 30);
  account.hold(a, 60);
  assert.equal(account.bytes, 90);
  account.keep(b, 0);
  account.hold(a, 0);
  account.hold(a, 0);
  assert.deepEqual([account.bytes, gone], [0, []]);
});

test('at the limit nobody has to go; beyond it copies go first, the oldest before the others', () => {
  const { account, gone, holder } = accountOf(100);
  const [copy1, copy2, reader] = [holder('copy 1'), holder('copy 2'), holder('reader')];
  account.hold(reader, 40);
  account.keep(copy1, 30);
  account.keep(copy2, 30);
  assert.deepEqual(gone, []);
  account.hold(reader, 41);
  assert.deepEqual([gone, account.bytes], [['copy 1'], 71]);
});

test('without copies the one that has held bytes for longest goes, however few they are', () => {
  const { account, gone, holder } = accountOf(100);
  const [slow, quick, late] = [holder('slow'), holder('quick'), holder('late')];
  account.hold(quick, 10);
  account.hold(slow, 5);
  account.hold(quick, 0); // it has taken everything
  account.hold(quick, 60);
  account.hold(slow, 6);
  account.hold(late, 40);
  assert.deepEqual([gone, account.bytes], [['slow'], 100]);
});

test('whoever alone wants more than the limit does not get it', () => {
  const { account, gone, holder } = accountOf(100);
  account.hold(holder('greedy'), 101);
  assert.deepEqual([gone, account.bytes], [['greedy'], 0]);
});

test('a lower limit holds at once, and none is no limit', () => {
  const { account, gone, holder } = accountOf(null);
  account.hold(holder('a'), 1_000);
  account.hold(holder('b'), 1_000);
  account.setLimit(1_500);
  assert.deepEqual([gone, account.bytes], [['a'], 1_000]);
});
