// The W3C trace context: what is valid goes on, what is not begins anew.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  begunTraceparent,
  joinTrace,
  parseTraceparent,
  traceIdOf,
  withTraceparent,
} from '../../src/observability/trace_context.ts';
import { systemRandom } from '../../src/resilience/random.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

test('what the recommendation calls valid is understood, and nothing else', () => {
  assert.deepEqual(parseTraceparent(`00-${TRACE}-${PARENT}-01`), {
    traceId: TRACE,
    parentId: PARENT,
    sampled: true,
  });
  assert.equal(parseTraceparent(`00-${TRACE}-${PARENT}-00`)?.sampled, false);
  assert.equal(parseTraceparent(`cc-${TRACE}-${PARENT}-03-what-comes-later`)?.sampled, true);
  for (const text of [
    null,
    '',
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01-more`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-1`,
    `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`,
  ])
    assert.equal(parseTraceparent(text), null, String(text));
});

test('a joined trace keeps its sampling decision; a new one is sampled by its share', () => {
  const [highest, lowest, span] = ['f'.repeat(32), '0'.repeat(32), 'f'.repeat(16)];
  const joined = joinTrace({ traceId: TRACE, parentId: PARENT, sampled: true }, 0, highest, span);
  assert.deepEqual(joined, { traceId: TRACE, parentId: PARENT, spanId: span, sampled: true });
  assert.equal(joinTrace(null, 0.5, highest, span).sampled, false, 'the highest id is not in the lower half');
  assert.equal(joinTrace(null, 1, highest, span).sampled, true);
  assert.equal(joinTrace(null, 0, lowest, span).sampled, false);
});

test('a trace that begins here has the id of the request, and says what can be read', () => {
  const requestId = systemRandom.requestId();
  const parent = parseTraceparent(begunTraceparent(traceIdOf(requestId)));
  assert.equal(parent?.traceId, requestId.replaceAll('-', ''));
  assert.equal(parent?.sampled, true);
});

test('a backend gets one traceparent, ours; everything else stays', () => {
  const list = ['TraceParent', 'x', 'a', 'b', 'tracestate', 'c=d'];
  assert.deepEqual(withTraceparent(list, 'ours', false), [
    'a',
    'b',
    'tracestate',
    'c=d',
    'traceparent',
    'ours',
  ]);
  assert.deepEqual(withTraceparent(list, 'ours', true), ['a', 'b', 'traceparent', 'ours']);
});
