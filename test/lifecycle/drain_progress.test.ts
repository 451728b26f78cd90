import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DrainReport, type DrainView, describeDrain } from '../../src/lifecycle/drain_progress.ts';
import { FakeClock } from '../support/fake_clock.ts';

const VIEW: DrainView = {
  phase: 'draining',
  cause: 'SIGTERM',
  remainingMs: 11_001,
  requests: 3,
  tunnels: 1,
  connections: 5,
  routes: { api: 3, chat: 1 },
};

test('a line says what is in flight, on which routes, and when it is cut', () => {
  assert.equal(
    describeDrain(VIEW),
    'draining: 3 requests, 1 tunnel (api 3, chat 1), 5 connections; cut in 12 s',
  );
  const last = { ...VIEW, requests: 0, tunnels: 0, connections: 1, routes: {}, remainingMs: 0 };
  assert.equal(describeDrain(last), 'draining: 0 requests, 0 tunnels, 1 connection; cut in 0 s');
  const early = { ...last, phase: 'lame_duck' } as const;
  assert.match(describeDrain(early), /^lame duck, still accepting: 0 requests/);
});

test('the service manager is told at once and then every second, until the end', () => {
  const clock = new FakeClock();
  const told: string[] = [];
  let requests = 2;
  const report = new DrainReport(
    () => ({ ...VIEW, requests }),
    text => void told.push(text),
    clock,
  );
  report.begin();
  requests = 1;
  clock.advance(999);
  assert.equal(told.length, 1);
  clock.advance(1);
  assert.deepEqual(
    told.map(text => text.split(',')[0]),
    ['draining: 2 requests', 'draining: 1 request'],
  );
  report.dispose();
  clock.advance(5_000);
  assert.equal(told.length, 2);
  assert.equal(clock.pendingTimers, 0);
});
