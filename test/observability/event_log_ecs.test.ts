// Events in the Elastic Common Schema, among access lines of the same schema.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ecsLine } from '../../src/observability/access_log_ecs.ts';
import { ecsEventLine } from '../../src/observability/event_log_ecs.ts';
import type { Event } from '../../src/observability/events.ts';
import { EVERY_EVENT } from './every_event.ts';
import { requestRecord } from './records.ts';

const parsed = (event: Event): Record<string, unknown> => JSON.parse(ecsEventLine(event, 'warn', 0));

test('an event says in words what happened, and its facts are fields', () => {
  assert.deepEqual(parsed(EVERY_EVENT.health_changed), {
    '@timestamp': '1970-01-01T00:00:00.000Z',
    'log.level': 'warn',
    'ecs.version': '8.11',
    message: 'app 10.0.0.1:80 is unhealthy: connect_refused',
    'service.name': 'fairlead',
    'event.kind': 'event',
    'event.dataset': 'fairlead.event',
    'event.action': 'health_changed',
    'fairlead.cluster': 'app',
    'fairlead.endpoint': '10.0.0.1:80',
    'fairlead.endpoint_label': '10.0.0.1:80',
    'fairlead.from': 'healthy',
    'fairlead.to': 'unhealthy',
    'fairlead.cause': 'connect_refused',
  });
});

test('what ECS has a name for is under it', () => {
  const of = (kind: Event['kind'], name: string) => parsed(EVERY_EVENT[kind])[name];
  assert.deepEqual(
    [
      of('started', 'service.version'),
      of('defect', 'http.request.id'),
      of('defect', 'error.stack_trace'),
      of('audit', 'user_agent.original'),
      of('limit_store', 'error.message'),
      of('name_failed', 'error.code'),
      of('warning', 'message'),
    ],
    [
      '1.2.3',
      'r-1',
      'Error: x\n    at a (b.ts:1:2)',
      'curl/8',
      'ECONNREFUSED',
      'ENOTFOUND',
      'something needs attention',
    ],
  );
});

test('a field has one type in every line: no field is an object, and none is null', () => {
  const types = new Map<string, Set<string>>();
  const note = (line: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(line)) {
      const kind = Array.isArray(value)
        ? `list of ${typeof value[0]}`
        : value === null
          ? 'null'
          : typeof value;
      types.set(name, (types.get(name) ?? new Set()).add(kind));
    }
  };
  for (const event of Object.values(EVERY_EVENT)) note(parsed(event));
  const { 'fairlead.attempts': _, ...access } = JSON.parse(
    ecsLine(requestRecord({ reason: 'no_route' }), '/', 0),
  );
  note(access);
  for (const [name, kinds] of types) {
    const [kind, ...more] = [...kinds].filter(one => one !== 'list of undefined');
    assert.deepEqual(more, [], name);
    assert.notEqual(kind, 'object', name);
    assert.notEqual(kind, 'null', name);
  }
  assert.deepEqual(parsed(EVERY_EVENT.requests_cut)['fairlead.routes'], ['api: 2', 'web: 1']);
  assert.deepEqual(parsed(EVERY_EVENT.reload)['fairlead.changes'], [
    '{"path":"routes.api.responseHeadMs","change":"changed"}',
  ]);
});

test('each event is one line', () => {
  for (const event of Object.values(EVERY_EVENT)) {
    const line = ecsEventLine(event, 'info', 0);
    assert.equal(line.indexOf('\n'), line.length - 1, event.kind);
  }
  assert.ok(ecsEventLine({ kind: 'warning', message: '\u009b' }, 'warn', 0).includes('\\u009b'));
});
