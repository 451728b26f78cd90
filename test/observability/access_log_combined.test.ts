// The combined format: what Apache and nginx write, which nobody can forge.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { combinedLine } from '../../src/observability/access_log_combined.ts';
import { requestRecord } from './records.ts';

const TIME_MS = Date.UTC(2026, 10, 21, 3, 4, 5);

test('one line in the order of the format', () => {
  const record = requestRecord({ referer: 'http://a.test/', userAgent: 'curl/8' });
  assert.equal(
    combinedLine(record, '/a?b', TIME_MS),
    '203.0.113.7 - - [21/Nov/2026:03:04:05 +0000] "GET /a?b HTTP/1.1" 200 2 "http://a.test/" "curl/8"\n',
  );
  const nothing = combinedLine(requestRecord({ method: '', status: 400 }), '', TIME_MS);
  assert.match(nothing, /"-" 400 2 "-" "-"\n$/);
});

test('who logged in stands in the third place, as one word', () => {
  const line = combinedLine(requestRecord({ user: 'alice "b' }), '/', TIME_MS);
  assert.match(line, /^203\.0\.113\.7 - alice\\x20\\x22b \[21/);
});

test('a client can put neither a quote nor a line break nor a control byte into it', () => {
  const userAgent = 'a" 200\n1.2.3.4 - - \\ \x1b[31m é';
  const line = combinedLine(requestRecord({ userAgent }), '/', TIME_MS);
  assert.equal(line.indexOf('\n'), line.length - 1);
  assert.match(line, /"a\\x22 200\\x0A1\.2\.3\.4 - - \\x5C \\x1B\[31m \\xC3\\xA9"\n$/);
});
