/** Waiting for a log line: past, to come, or never. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogLines } from './log_lines.ts';

test('a line that came before, or in pieces afterwards, is found by its facts', async () => {
  const lines = new LogLines();
  lines.take('{"event":"a","n":1}\nnot JSON\n');
  assert.deepEqual(await lines.next({ event: 'a' }), { event: 'a', n: 1 });
  const later = lines.next({ event: 'a', n: 2 });
  lines.take('{"event":"a",');
  lines.take('"n":2}\n');
  assert.deepEqual(await later, { event: 'a', n: 2 });
  assert.deepEqual(await lines.next({ event: 'a' }, 2), { event: 'a', n: 2 }, 'the second one');
  assert.deepEqual(lines.noise, ['not JSON']);
});

test('waiting for a line that never comes fails with the lines that did', async () => {
  const lines = new LogLines();
  lines.take('{"event":"a"}\n');
  const never = lines.next({ event: 'b' });
  lines.end('the proxy ended with 70');
  await assert.rejects(never, /the proxy ended with 70, without the line {"event":"b"}.*\n{"event":"a"}/s);
});
