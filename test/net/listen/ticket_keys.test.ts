// The key of session tickets: its own one is replaced at an interval, a shared one is what the file says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TicketKeys } from '../../../src/net/listen/ticket_keys.ts';
import { TICKET_KEY_BYTES } from '../../../src/net/tls.ts';
import { FakeClock } from '../../support/fake_clock.ts';

test('a key of its own lives for its interval', () => {
  const clock = new FakeClock();
  const keys = new TicketKeys(clock);
  const settings = { rotateMs: 1_000, ticketKey: null };
  const first = keys.current(settings);
  assert.equal(first?.length, TICKET_KEY_BYTES);
  clock.advance(999);
  assert.equal(keys.isDue(settings), false);
  assert.equal(keys.current(settings), first, 'also after a reload, which asks again');
  clock.advance(1);
  assert.equal(keys.isDue(settings), true);
  assert.notDeepEqual(keys.current(settings), first);
  assert.equal(keys.isDue(settings), false, 'the new one begins its interval');
});

test('a shared key is used as it is, and is never due', () => {
  const clock = new FakeClock();
  const shared = Buffer.alloc(TICKET_KEY_BYTES, 7);
  const settings = { rotateMs: 1, ticketKey: shared.toString('base64') };
  const keys = new TicketKeys(clock);
  clock.advance(10);
  assert.deepEqual(keys.current(settings), shared);
  assert.equal(keys.isDue(settings), false);
});

test('without tickets there is no key', () => {
  const keys = new TicketKeys(new FakeClock());
  assert.equal(keys.current(null), null);
  assert.equal(keys.isDue(null), false);
});
