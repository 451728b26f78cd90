// The line of an event that programs read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonEventFormat } from '../../src/observability/event_log_json.ts';
import { EVERY_EVENT } from './every_event.ts';

test('an event is one JSON line with level, time, event and its facts, and no more of this machine', () => {
  const format = jsonEventFormat('epoch');
  const line = format(EVERY_EVENT.listener_closed, 'warn', 1_700_000_000_000);
  assert.equal(line, '{"level":40,"time":1700000000000,"event":"listener_closed","listener":"main"}\n');
  for (const [kind, event] of Object.entries(EVERY_EVENT)) {
    const { kind: _, ...facts } = event;
    const text = format(event, 'info', 5);
    assert.equal(text.indexOf('\n'), text.length - 1, kind);
    assert.deepEqual(JSON.parse(text), { level: 30, time: 5, event: kind, ...facts });
  }
});

test('the time is ISO 8601 where the settings say so', () => {
  const line = JSON.parse(jsonEventFormat('iso')(EVERY_EVENT.started, 'error', 5));
  assert.deepEqual([line.level, line.time], [50, '1970-01-01T00:00:00.005Z']);
});

test('control characters are data to a program and nothing to a terminal', () => {
  const line = jsonEventFormat('epoch')({ kind: 'warning', message: '\u009b31m\x1b' }, 'warn', 0);
  assert.ok(line.includes('\\u009b31m\\u001b'), line);
});
