import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { StatusStream } from '../../src/admin/status_stream.ts';
import { FakeClock } from '../support/fake_clock.ts';

/** A response that notes what it is sent. */
class Viewer extends EventEmitter {
  readonly said: string[] = [];
  writableLength = 0;
  writeHead(status: number): void {
    this.said.push(`head ${status}`);
  }
  write(event: string): void {
    this.said.push(event);
  }
  destroy(): void {
    this.said.push('destroyed');
    this.emit('close');
  }
  end(): void {
    this.said.push('end');
    this.emit('close');
  }
}

function opened() {
  const clock = new FakeClock();
  let rendered = 0;
  const stream = new StatusStream(() => `page ${++rendered}\n`, clock);
  const add = () => {
    const viewer = new Viewer();
    return { viewer, added: stream.add(viewer as unknown as ServerResponse) };
  };
  return { clock, stream, add, rendered: () => rendered };
}

test('who opens the status page gets it at once, then once a second, made once for all who look', () => {
  const { clock, add, rendered } = opened();
  const { viewer: first } = add();
  const { viewer: second } = add();
  clock.advance(999);
  assert.deepEqual(
    first.said,
    ['head 200', 'data: "page 1\\n"\n\n'],
    'one line of data, whatever is in the page',
  );
  clock.advance(1);
  assert.equal(first.said.at(-1), 'data: "page 3\\n"\n\n');
  assert.equal(second.said.at(-1), first.said.at(-1));
  clock.advance(1_000);
  assert.equal(rendered(), 4);
});

test('while nobody looks the page is not made', () => {
  const { clock, add, rendered } = opened();
  const { viewer } = add();
  viewer.emit('close');
  clock.advance(60_000);
  assert.deepEqual([rendered(), clock.pendingTimers], [1, 0]);
  add();
  clock.advance(1_000);
  assert.equal(rendered(), 3, 'the next one who looks wakes it up again');
});

test('sixteen may look at once, and the seventeenth when one of them has gone', () => {
  const { add } = opened();
  const viewers = Array.from({ length: 16 }, add);
  assert(viewers.every(({ added }) => added));
  const late = add();
  assert.deepEqual([late.added, late.viewer.said], [false, []]);
  viewers[3]?.viewer.emit('error', new Error('gone'));
  assert.equal(add().added, true);
});

test('a viewer who does not read is let go above 1 MiB, and the others see on', () => {
  const { clock, add } = opened();
  const { viewer: slow } = add();
  const { viewer: good } = add();
  slow.writableLength = 1024 * 1024;
  clock.advance(1_000);
  assert.notEqual(slow.said.at(-1), 'destroyed', 'the limit itself is allowed');
  slow.writableLength++;
  clock.advance(1_000);
  assert.equal(slow.said.at(-1), 'destroyed');
  const seen = good.said.length;
  clock.advance(1_000);
  assert.equal(good.said.length, seen + 1);
});

test('at the end of the process every viewer is told, and no timer is left', () => {
  const { clock, stream, add } = opened();
  const { viewer } = add();
  stream.close();
  assert.deepEqual([viewer.said.at(-1), clock.pendingTimers], ['end', 0]);
});
