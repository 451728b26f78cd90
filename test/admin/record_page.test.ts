import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderRecordPage } from '../../src/admin/record_page.ts';
import { attemptOf, decisionOf } from './decision.ts';

const pageOf = (change: Parameters<typeof decisionOf>[0]) => renderRecordPage(decisionOf(change), 'n1');

test('each attempt has a bar on the scale of the whole request', () => {
  const page = pageOf({
    timing: { ...decisionOf().timing, totalMs: 100 },
    attempts: [attemptOf({ connectMs: null, firstByteMs: null, ms: 50 }), attemptOf({ startMs: 75, ms: 25 })],
  });
  assert.equal(page.match(/<svg class="bar"/g)?.length, 2);
  assert.match(page, /<rect class="connect" x="0.0" width="500.0"/);
  assert.match(page, /<rect class="wait" x="760.0" width="40.0"/);
  assert.match(page, /<rect class="body" x="800.0" width="200.0"/);
});

test('a failure links to what its reason means, and a success does not', () => {
  assert.match(pageOf({ reason: 'tls_failed', status: 502 }), /href="\/reasons\/tls_failed"/);
  assert.doesNotMatch(pageOf({}), /\/reasons\//);
});

test('what a client wrote is text', () => {
  const evil = '/<script>alert(1)</script>"';
  const page = pageOf({ request: { ...decisionOf().request, path: evil, host: evil, method: evil } });
  assert.equal(page.includes('<script'), false);
});

test('settings are told in the words of the file, with their line; hints come first', () => {
  const page = pageOf({
    settings: [{ group: 'access', key: 'routes.api.access', text: '10.0.0.0/8', origin: 'edge.yaml:12:5' }],
    hints: ['set protocol: h2c'],
  });
  assert.match(page, /routes\.api\.access[\s\S]*10\.0\.0\.0\/8[\s\S]*edge\.yaml:12</);
  assert.match(page, /<p>Wrong: set protocol: h2c\.<\/p>/);
});

test('a request that is not kept says how a record is made', () => {
  assert.match(renderRecordPage(null, 'n1'), /X-Fairlead-Explain/);
});
