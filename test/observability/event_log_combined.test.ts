// Events in a log of combined lines: as in the error log of nginx.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { combinedLine } from '../../src/observability/access_log_combined.ts';
import { combinedEventFormat } from '../../src/observability/event_log_combined.ts';
import { EVERY_EVENT } from './every_event.ts';
import { requestRecord } from './records.ts';

const format = combinedEventFormat(4711);
/** `log_format` of the error log, as programs that read it expect it. */
const NGINX_ERROR = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(?:info|warn|error)\] \d+#\d+: \S.*\n$/;

test('time, level, process, event and a sentence', () => {
  assert.equal(
    format(EVERY_EVENT.health_changed, 'warn', Date.UTC(2026, 10, 29, 19, 52, 3)),
    '2026/11/29 19:52:03 [warn] 4711#0: health_changed: app 10.0.0.1:80 is unhealthy: connect_refused\n',
  );
});

test('every event is one line of that form, which no access line has', () => {
  for (const event of Object.values(EVERY_EVENT)) {
    const line = format(event, 'info', 0);
    assert.match(line, NGINX_ERROR, event.kind);
    assert.equal(line.indexOf('\n'), line.length - 1, event.kind);
  }
  assert.doesNotMatch(combinedLine(requestRecord(), '/a', 0), NGINX_ERROR);
});

test('problems and the lines of a stack follow in the same line, and nobody can begin another one', () => {
  assert.match(format(EVERY_EVENT.rollback, 'error', 0), /: 2 problems; one; two\n$/);
  assert.match(format(EVERY_EVENT.defect, 'error', 0), /\(request r-1\); Error: x; {5}at a \(b\.ts:1:2\)\n$/);
  const forged = format({ kind: 'warning', message: 'a\n2026/11/29 [info] 1#0: b \x1b[31m' }, 'warn', 0);
  assert.match(forged, /warning: a\\x0A2026.*\\x1B\[31m\n$/);
});
