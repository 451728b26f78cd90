import assert from 'node:assert/strict';
import { test } from 'node:test';
import { html } from '../../src/admin/html.ts';
import { listeners } from '../../src/admin/status_page_listeners.ts';
import { pageView } from './page_view.ts';

const LISTENER = {
  name: 'public',
  address: '0.0.0.0:8443',
  tls: true,
  connections: { new: 0, active: 3, idle: 9, tunnel: 0 },
  connectionsMax: 10_000,
};
const DAY_MS = 86_400_000;
const certificate = (subject: string, days: number) => ({
  listener: 'public',
  subject,
  notAfter: '2026-03-01T00:00:00.000Z',
  leftMs: days * DAY_MS,
});
const textOf = (change: Parameters<typeof pageView>[1]) =>
  html`${listeners(pageView([], { listeners: [LISTENER], ...change }))}`.text.replaceAll(/<[^>]*>/g, ' ');

test('a listener shows where it is, who is connected, and who was refused', () => {
  const text = textOf({ refusals: [{ listener: 'public', cause: 'clientIp', count: 7 }] });
  assert.match(text, /0\.0\.0\.0:8443\s+TLS/);
  assert.match(text, /12 of 10000: 3 active, 9 idle/);
  assert.match(text, /clientIp ×7/);
  assert.match(textOf({}), /none/);
});

test('its certificates say how long they last', () => {
  const text = textOf({ certificates: [certificate('a.test', 43), certificate('b.test', -1)] });
  assert.match(text, /a\.test:\s+43 d left\s+\(2026-03-01\)/);
  assert.match(text, /b\.test:\s+expired/);
});

test('the section that a problem links to has the id of the listener', () => {
  assert.match(html`${listeners(pageView([], { listeners: [LISTENER] }))}`.text, /id="listener-public"/);
});
