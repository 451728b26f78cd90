// Events for people.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prettyEventFormat } from '../../src/observability/event_log_pretty.ts';
import { painter } from '../../src/observability/terminal.ts';
import { EVERY_EVENT } from './every_event.ts';

const plain = prettyEventFormat('iso', painter(false));

test('time, level and a sentence; what belongs to it is below, indented', () => {
  assert.equal(
    plain(EVERY_EVENT.listener_closed, 'info', 0),
    '1970-01-01T00:00:00.000Z info  listener main is closed\n',
  );
  const [head, first, second, end] = plain(EVERY_EVENT.rollback, 'error', 0).split('\n');
  assert.match(head ?? '', / error rollback rejected .*: 2 problems$/);
  assert.match(first ?? '', /^ {33}one$/);
  assert.match(second ?? '', /^ {33}two$/);
  assert.equal(end, '');
});

test('the level has its colour, and trouble is in it from end to end', () => {
  const colored = prettyEventFormat('iso', painter(true));
  assert.match(colored(EVERY_EVENT.listener_closed, 'info', 0), /\x1b\[36minfo \x1b\[39m listener main/);
  assert.match(
    colored(EVERY_EVENT.warning, 'warn', 0),
    /\x1b\[33mwarn \x1b\[39m \x1b\[33msomething needs attention\x1b\[39m\n$/,
  );
  assert.match(colored(EVERY_EVENT.defect, 'error', 0), /\x1b\[31merror\x1b\[39m/);
});

test('nobody can begin a line or send a command to the terminal', () => {
  const message = 'a\n19:52:03.412 info  all is well \x1b[2J\u202e';
  const line = plain({ kind: 'warning', message }, 'warn', 0);
  assert.equal(line.indexOf('\n'), line.length - 1);
  assert.match(line, /a\\x0A19:52.*\\x1B\[2J\\xE2\\x80\\xAE\n$/);
  const stack = plain(
    { kind: 'defect', requestId: null, detail: 'Error: \x1b[2J\n12:00:00 info' },
    'error',
    0,
  );
  for (const one of stack.split('\n').slice(1, -1)) assert.match(one, /^ {33}[^\x00-\x1f]+$/);
});
