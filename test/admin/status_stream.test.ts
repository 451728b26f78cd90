import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { slot } from '../../src/admin/html.ts';
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
  get changes(): unknown {
    return JSON.parse(/^data: (.*)$/m.exec(this.said.at(-1) ?? '')?.[1] ?? 'null');
  }
}

/** A page with one part that changes each time it is rendered, and one that never does. */
function opened() {
  const clock = new FakeClock();
  let rendered = 0;
  const render = () => {
    rendered++;
    return {
      parts: [slot('count', rendered), slot('name', 'fairlead')],
      instance: 'i1',
      document: (nonce: string, frame: string) => `${nonce} ${frame}`,
    };
  };
  const stream = new StatusStream(render, clock);
  const add = (frame: string | null = null) => {
    const viewer = new Viewer();
    return { viewer, added: stream.add(viewer as unknown as ServerResponse, frame) };
  };
  return { clock, stream, add, rendered: () => rendered };
}

test('who connects without a page that is known gets all of it, then once a second what has changed', () => {
  const { clock, add, rendered } = opened();
  const { viewer: first } = add();
  assert.deepEqual(first.said, ['head 200', 'id: i1-1\ndata: [["count","1"],["name","fairlead"]]\n\n']);
  const { viewer: second } = add();
  clock.advance(999);
  assert.equal(first.said.length, 2, '1 ms before the second is over');
  clock.advance(1);
  assert.equal(first.said.at(-1), 'id: i1-3\ndata: [["count","3"]]\n\n');
  assert.equal(second.said.at(-1), first.said.at(-1), 'rendered once for both');
  assert.equal(rendered(), 3);
});

test('a page that was just opened, and a browser that connects again, continue from what they have', () => {
  const { clock, stream, add } = opened();
  assert.equal(stream.open('nonce'), 'nonce i1-1');
  clock.advance(1_000);
  const { viewer } = add('i1-1');
  assert.deepEqual(viewer.changes, [['count', '2']]);
  viewer.emit('close');
  assert.deepEqual(add('i1-2').viewer.changes, [['count', '3']]);
  assert.equal(
    (add('i0-2').viewer.changes as unknown[]).length,
    2,
    'the page of another process is not known',
  );
});

test('a page that asks for its updates after five seconds gets all of itself: nothing is kept for it', () => {
  const { clock, stream, add } = opened();
  stream.open('nonce');
  clock.advance(4_999);
  assert.equal(clock.pendingTimers, 1);
  clock.advance(1);
  assert.equal(clock.pendingTimers, 0);
  assert.equal((add('i1-1').viewer.changes as unknown[]).length, 2);
});

test('while nobody looks the page is not rendered', () => {
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
  const viewers = Array.from({ length: 16 }, () => add());
  assert(viewers.every(({ added }) => added));
  const late = add();
  assert.deepEqual([late.added, late.viewer.said], [false, []]);
  viewers[3]?.viewer.emit('error', new Error('gone'));
  assert.equal(add().added, true);
});

test('at most one update waits for a slow viewer, and then it gets the difference to what it has', () => {
  const { clock, add } = opened();
  const { viewer: slow } = add();
  const { viewer: good } = add();
  slow.writableLength = 1;
  clock.advance(10_000);
  assert.equal(slow.said.length, 2);
  assert.equal(good.said.length, 12);
  slow.writableLength = 0;
  clock.advance(1_000);
  assert.deepEqual(slow.changes, [['count', '13']], 'the name has not changed since');
});

test('a viewer who reads nothing for half a minute is disconnected, and the others see on', () => {
  const { clock, add } = opened();
  const { viewer: slow } = add();
  const { viewer: good } = add();
  slow.writableLength = 1;
  clock.advance(30_000);
  assert.notEqual(slow.said.at(-1), 'destroyed');
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
