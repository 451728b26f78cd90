// The level of each event: what an alert looks for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventLevel } from '../../src/observability/event_level.ts';
import type { Event } from '../../src/observability/events.ts';
import { EVERY_EVENT } from './every_event.ts';

test('trouble is a warning or an error, the rest is information', () => {
  const by = Object.groupBy(Object.keys(EVERY_EVENT) as Event['kind'][], kind =>
    eventLevel(EVERY_EVENT[kind]),
  );
  assert.deepEqual(by.error, ['panic_changed', 'rollback', 'overload', 'defect']);
  assert.deepEqual(by.warn, [
    'connections_refused',
    'proxy_protocol_refused',
    'health_changed',
    'health_disagreement',
    'name_failed',
    'circuit_changed',
    'certificate',
    'limit_store',
    'endpoint_drained',
    'requests_cut',
    'warning',
  ]);
});

test('the end of a trouble is information', () => {
  const levels = (
    [
      { ...EVERY_EVENT.panic_changed, panic: false },
      { ...EVERY_EVENT.health_changed, to: 'healthy' },
      { ...EVERY_EVENT.health_changed, to: 'warming' },
      { ...EVERY_EVENT.health_disagreement, disagree: false },
      { ...EVERY_EVENT.circuit_changed, to: 'closed' },
      { ...EVERY_EVENT.overload, state: 'normal' },
      { ...EVERY_EVENT.limit_store, why: null },
    ] as Event[]
  ).map(eventLevel);
  assert.deepEqual(new Set(levels), new Set(['info']));
  assert.equal(eventLevel({ ...EVERY_EVENT.certificate, expired: true } as Event), 'error');
  assert.equal(eventLevel({ ...EVERY_EVENT.reload, result: 'rejected' } as Event), 'error');
  assert.equal(eventLevel({ ...EVERY_EVENT.rollback, result: 'applied' } as Event), 'warn');
});
