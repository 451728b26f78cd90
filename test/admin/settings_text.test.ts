import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelled, placeText, renderSettings, settingText } from '../../src/admin/settings_text.ts';

const HEAD = {
  group: 'timeouts',
  key: 'listeners.public.timeouts.head',
  text: '10s',
  origin: 'edge.yaml:12:5',
} as const;

test('a setting is one line: key, value, place', () => {
  assert.equal(settingText(HEAD), 'listeners.public.timeouts.head: 10s (edge.yaml:12)');
  assert.equal(settingText({ ...HEAD, origin: 'default' }), 'listeners.public.timeouts.head: 10s (default)');
});

test('a place has no column, keeps its note, and may be a file whose name has colons', () => {
  assert.equal(placeText('edge.yaml:8:13 (preset aws-alb)'), 'edge.yaml:8, preset aws-alb');
  assert.equal(placeText('a:1.yaml:8:13'), 'a:1.yaml:8');
  assert.equal(placeText('X-Request-Deadline-Ms'), 'X-Request-Deadline-Ms');
});

test('settings come in groups, whatever their order, and the first line of a group has its label', () => {
  const rates = { ...HEAD, group: 'rates', key: 'routes.a.rateLimits[0]', text: '1/s' } as const;
  const idle = { ...HEAD, key: 'listeners.public.timeouts.bodyIdle' };
  assert.deepEqual(renderSettings([HEAD, rates, idle]), [
    'rate limit routes.a.rateLimits[0]: 1/s (edge.yaml:12)',
    'timeouts   listeners.public.timeouts.head: 10s (edge.yaml:12)',
    '           listeners.public.timeouts.bodyIdle: 10s (edge.yaml:12)',
  ]);
  assert.equal(labelled('a', 'b'), 'a          b');
});
