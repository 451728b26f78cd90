import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../src/observability/events.ts';
import { Log, type LoggingSettings } from '../../src/observability/logging.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { requestRecord } from './records.ts';

const SETTINGS: LoggingSettings = {
  level: 'info',
  format: 'auto',
  time: 'epoch',
  file: null,
  access: { enabled: true, sample: 1, redactQuery: [], format: 'json' },
  explainFrom: [],
};
const OPENED: Event = { kind: 'listener_opened', listener: 'main', address: '127.0.0.1:1' };
const AUDIT: Event = { kind: 'audit', action: 'reload', by: 'unix', userAgent: null, result: 'ok' };

function logWith(change: Partial<LoggingSettings>, terminal: { readonly hasColor: boolean } | null = null) {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const destination = { terminal, write, reopen() {}, flush: async () => {} };
  return { lines, log: new Log({ ...SETTINGS, ...change }, destination, new FakeClock()) };
}

test('nothing below the level is written, but what a person did always is', () => {
  for (const [level, count] of [
    ['debug', 3],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['silent', 0],
  ] as const) {
    const { lines, log } = logWith({ level });
    log.writeEvent(OPENED, 'info');
    log.writeEvent(OPENED, 'warn');
    log.writeEvent(OPENED, 'error');
    assert.equal(lines.length, count, level);
    log.writeEvent(AUDIT, 'info');
    assert.equal(lines.length, count + 1, `${level}: audit`);
  }
});

test('an override of the level lasts until it ends, also over a reload', () => {
  const { lines, log } = logWith({ level: 'warn' });
  log.setLevel('info');
  log.setSettings({ ...SETTINGS, level: 'error' });
  log.writeEvent(OPENED, 'info');
  assert.deepEqual([log.level, lines.length], ['info', 1]);
  log.setLevel(null);
  log.writeEvent(OPENED, 'warn');
  assert.deepEqual([log.level, lines.length], ['error', 1]);
});

test('requests and events have one format, which a reload changes for both; what the destination is stays', () => {
  const { lines, log } = logWith({}, { hasColor: false });
  const both = () => {
    lines.length = 0;
    log.writeRequest(requestRecord(), '/a');
    log.writeEvent(OPENED, 'info');
    return lines.map(line => line.slice(0, 1));
  };
  assert.match(both().join(), /^\d,\d$/, 'pretty on a terminal');
  log.setSettings({ ...SETTINGS, format: 'json' });
  assert.deepEqual(both(), ['{', '{']);
  log.setSettings(SETTINGS);
  assert.match(both().join(), /^\d,\d$/);
});
