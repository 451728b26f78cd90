/**
 * Nothing may stay open: `checkLeaks()` at the top of a test file fails the file when its tests leave a socket, a
 * server, a timer or a child process behind that would keep a process alive.
 */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

/** Those that Node and its test runner hold themselves: standard output, signals, the promise of this check. */
const OWN = new Set([
  'PipeWrap',
  'TTYWrap',
  'SignalWrap',
  'Immediate',
  'FSReqCallback',
  'FSReqPromise',
  'CloseReq',
]);
/** Ends of sockets take some turns of the event loop. */
const SETTLE_MS = 1_000;

/** What keeps the process alive now, by name and count; `known` is not counted. */
export function openResources(known: readonly string[] = []): string[] {
  const spare = [...known];
  return process
    .getActiveResourcesInfo()
    .filter(name => !OWN.has(name))
    .filter(name => {
      const at = spare.indexOf(name);
      if (at !== -1) spare.splice(at, 1);
      return at === -1;
    })
    .sort();
}

/** Waits a moment for what is closing, then fails with a list of what is open. */
export async function assertNoLeaks(known: readonly string[] = []): Promise<void> {
  const endsAtMs = performance.now() + SETTLE_MS;
  while (openResources(known).length > 0 && performance.now() < endsAtMs) await turn();
  assert.deepEqual(
    openResources(known),
    [],
    'sockets, servers, timers and child processes that are still open',
  );
}

/** For the top of a test file. */
export function checkLeaks(): void {
  const known = openResources();
  after(() => assertNoLeaks(known));
}
