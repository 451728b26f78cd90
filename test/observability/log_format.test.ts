// One format for the whole log: what the settings and the place where it goes make of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FormatSettings, logFormat } from '../../src/observability/log_format.ts';
import type { Terminal } from '../../src/observability/terminal.ts';
import { EVERY_EVENT } from './every_event.ts';
import { requestRecord } from './records.ts';

const COLORS: Terminal = { hasColor: true };

const LOOKS = [
  ['ecs', /^\{"@timestamp":/],
  ['json', /^\{"level":/],
  ['combined', /^203\.0\.113\.7 - -|^1970\/01\/01 00:00:00 \[/],
  ['colored', /^\x1b\[2m\d\d:\d\d:00\.000/],
  ['plain', /^\d\d:\d\d:00\.000 /],
] as const;

/** How both kinds of lines look; more than one word if they differ. */
function looksOf(settings: Partial<FormatSettings>, terminal: Terminal | null): string {
  const { access, event } = logFormat(
    { format: 'auto', time: 'epoch', access: { format: 'json' }, ...settings },
    terminal,
    1,
  );
  const lines = [access(requestRecord(), '/a', 0), event(EVERY_EVENT.warning, 'warn', 0)];
  const found = lines.map(line => LOOKS.find(([, pattern]) => pattern.test(line))?.[0]);
  return [...new Set(found)].join(' and ');
}

test('auto is for people on a terminal only, and only where no other format was chosen', () => {
  assert.equal(looksOf({}, COLORS), 'colored');
  assert.equal(looksOf({}, { hasColor: false }), 'plain');
  assert.equal(looksOf({}, null), 'json');
  for (const format of ['ecs', 'combined'] as const) {
    assert.equal(looksOf({ access: { format } }, COLORS), format);
    assert.equal(looksOf({ access: { format } }, null), format);
  }
});

test('json is for programs everywhere', () => {
  for (const format of ['json', 'ecs', 'combined'] as const)
    for (const terminal of [COLORS, null])
      assert.equal(looksOf({ format: 'json', access: { format } }, terminal), format);
});

test('pretty is for people everywhere, in colour on a terminal only', () => {
  for (const format of ['json', 'ecs', 'combined'] as const) {
    assert.equal(looksOf({ format: 'pretty', access: { format } }, COLORS), 'colored');
    assert.equal(looksOf({ format: 'pretty', access: { format } }, null), 'plain');
  }
});

test('the time is ISO 8601 in both kinds of lines where the settings say so', () => {
  for (const format of ['json', 'pretty'] as const) {
    const lines = logFormat({ format, time: 'iso', access: { format: 'json' } }, null, 1);
    for (const line of [lines.access(requestRecord(), '/a', 0), lines.event(EVERY_EVENT.warning, 'warn', 0)])
      assert.match(line, format === 'json' ? /"time":"1970-01-01T00:00:00\.000Z",/ : /^1970-01-01T00/);
  }
});
