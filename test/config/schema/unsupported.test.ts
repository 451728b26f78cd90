import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schemaJson } from '../../../src/config/json_schema.ts';
import { findUnsupported, UNSUPPORTED } from '../../../src/config/schema/unsupported.ts';
import { parseDocument } from '../../../src/config/text/document.ts';
import { loadedFrom, problemsOf } from '../config_text.ts';

function found(source: string): string[] {
  const { document } = parseDocument(source, 'x.yaml', {});
  assert(document !== null);
  return findUnsupported(document).map(
    ({ problem }) => `${problem.line}:${problem.column} ${problem.message}`,
  );
}

test('a key of a later feature is refused at its place, with what to do until then', () => {
  assert.deepEqual(found('routes:\n  - { name: a, forward: { mirror: {} } }\n  - name: b\n    cors: {}\n'), [
    '2:27 "mirror" is not supported yet; remove it',
    '4:5 "cors" is not supported yet; remove it and answer OPTIONS in the backend',
  ]);
});

test('a value of a later feature is refused, the others of its key are not', () => {
  assert.deepEqual(
    found(
      'clusters: { a: { loadBalancing: { policy: peakEwma } }, b: { loadBalancing: { policy: random } } }',
    ),
    ['1:43 "peakEwma" is not supported yet; use leastRequests, roundRobin or random'],
  );
  assert.deepEqual(found('routes: [{ compress: off, rateLimits: [{ store: local }] }]'), []);
});

test('each row says what to do, and names a key once', () => {
  for (const { at, advice } of UNSUPPORTED) assert.match(advice, /^(?:write|remove|set|use)/, at);
  assert.equal(new Set(UNSUPPORTED.map(({ at }) => at)).size, UNSUPPORTED.length);
});

test('a refused key is not called unknown as well, and hides no other problem', () => {
  const problems = problemsOf({
    clusters:
      '{ app: { endpoints: [127.0.0.1:9000], loadBalancing: { sticky: { cookie: a } }, pool: { idle: 1ms } } }',
  });
  assert.deepEqual(
    problems.map(({ message }) => message.slice(0, 30)),
    ['"sticky" is not supported yet; ', 'clusters.app.pool.idle: 1ms is too small'].map(text =>
      text.slice(0, 30),
    ),
  );
});

test('off, none and local are no later features', () => {
  loadedFrom({
    top: 'process: { reload: { probation: off } }\nlogging: { access: { format: json } }',
    routes:
      '[{ name: all, forward: { cluster: app }, compress: off, rateLimits: [{ key: route, rate: 1/s, store: local }] }]',
  });
});

test('the JSON Schema offers nothing that would be refused', () => {
  const text = JSON.stringify(schemaJson());
  for (const key of ['mirror', 'sticky']) assert.ok(!text.includes(`"${key}"`), key);
});
