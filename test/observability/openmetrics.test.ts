import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toOpenMetrics, wantsOpenMetrics } from '../../src/observability/openmetrics.ts';

test('the format is what the scraper asks for', () => {
  // As Prometheus 2.53 asks.
  const prometheus =
    'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
  assert.equal(wantsOpenMetrics(prometheus), true);
  assert.equal(wantsOpenMetrics('text/plain, application/openmetrics-text'), true);
  for (const accept of ['', '*/*', 'text/plain', 'application/openmetrics-text;q=0'])
    assert.equal(wantsOpenMetrics(accept), false, accept);
});

test('only the names of counters change, and the end is marked', () => {
  const text = [
    '# HELP a_total All of them',
    '# TYPE a_total counter',
    'a_total{x="# TYPE b_total counter"} 1',
    '',
    '# HELP g_total A gauge with an unlucky name',
    '# TYPE g_total gauge',
    'g_total 2',
    '',
  ].join('\n');
  assert.equal(
    toOpenMetrics(text),
    [
      '# HELP a All of them',
      '# TYPE a counter',
      'a_total{x="# TYPE b_total counter"} 1',
      '# HELP g_total A gauge with an unlucky name',
      '# TYPE g_total gauge',
      'g_total 2',
      '# EOF',
      '',
    ].join('\n'),
  );
});
