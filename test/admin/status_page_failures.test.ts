import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupFailures } from '../../src/admin/failure_groups.ts';
import { html } from '../../src/admin/html.ts';
import { failures } from '../../src/admin/status_page_failures.ts';
import type { Decision } from '../../src/observability/decision_ring.ts';
import { decisionOf } from './decision.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:02.000Z');
const textOf = (all: readonly Decision[]) => html`${failures(groupFailures(all, NOW_MS))}`.text;
const failed = (change: Partial<Decision>) => decisionOf({ status: 502, ...change });

test('a line says what, how often, and when last, and links to the meaning and to the records', () => {
  const text = textOf([
    failed({ id: 'x/1', reason: 'tls_failed', cluster: 'app' }),
    failed({ id: 'x/2', reason: 'tls_failed', cluster: 'app' }),
  ]);
  assert.match(text, /<b>tls_failed<\/b>.*×2.*last 2 s ago.*route api → cluster app/s);
  assert.match(text, /href="\/reasons\/tls_failed"/);
  assert.match(text, /href="\/requests\/x%2F1"/);
  assert.match(text, /href="#cluster-app"/);
});

test('what clients do wrong comes last, and more than ten kinds are folded', () => {
  const kinds = (text: string) =>
    [...text.matchAll(/<summary id="f-[^"]*"><b>([^<]+)/g)].map(([, kind]) => kind);
  assert.deepEqual(kinds(textOf([failed({ reason: 'no_route' }), failed({ reason: 'tls_failed' })])), [
    'tls_failed',
    'no_route',
  ]);
  const many = Array.from({ length: 13 }, (_, at) => failed({ route: `r${at}` }));
  assert.match(textOf(many), /3 other kinds/);
  assert.doesNotMatch(textOf(many.slice(0, 10)), /other kind/);
});

test('no failures need no table', () => {
  assert.match(textOf([]), /Failures .*none/);
  assert.doesNotMatch(textOf([]), /<table/);
});
