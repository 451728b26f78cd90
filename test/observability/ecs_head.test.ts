import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ecsHead } from '../../src/observability/ecs_head.ts';

test('every line says when, how serious, what, and of which service', () => {
  assert.deepEqual(ecsHead(0, 'warn', 'm'), {
    '@timestamp': '1970-01-01T00:00:00.000Z',
    'log.level': 'warn',
    'ecs.version': '8.11',
    message: 'm',
    'service.name': 'fairlead',
    'event.kind': 'event',
  });
});
