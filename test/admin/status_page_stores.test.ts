import assert from 'node:assert/strict';
import { test } from 'node:test';
import { html } from '../../src/admin/html.ts';
import { stores } from '../../src/admin/status_page_stores.ts';

const STORE = {
  name: 'shared',
  address: '127.0.0.1:6379',
  state: 'lost',
  sinceMs: 5_000,
  lastError: 'ECONNREFUSED',
  inFlight: 0,
  onError: 'allow',
} as const;

test('a store that is lost is marked, with its last error; without stores there is no section', () => {
  const { text } = html`${stores([STORE])}`;
  assert.match(text, /<tr class="severity1">.*shared.*lost.*5 s.*ECONNREFUSED/s);
  assert.match(html`${stores([{ ...STORE, state: 'connected' }])}`.text, /severity3/);
  assert.equal(html`${stores([])}`.text, '');
});
