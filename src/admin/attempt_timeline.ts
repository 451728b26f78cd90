/** What each attempt of a request spent its time on, as parts of a bar. Pure. */
import type { Decision } from '../observability/decision_ring.ts';

export const PHASES = ['queue', 'connect', 'wait', 'body'] as const;
/**
 * `queue`: for a connection of the pool, before the attempt. `connect`: to the backend, with TLS. `wait`: from there to the first
 * byte of the response. `body`: to its end.
 */
export type Phase = (typeof PHASES)[number];

export interface Segment {
  readonly phase: Phase;
  /** From the beginning of the request. */
  readonly startMs: number;
  readonly ms: number;
}

type Timed = Pick<Decision, 'attempts' | 'timing'>;

/** The segments of each attempt, in their order; those without a length are left out. */
export function timelineOf({ attempts, timing }: Timed): readonly (readonly Segment[])[] {
  let queueMs = timing.queueMs; // of all attempts together: what fits before the first is its own
  let freeMs = 0;
  return attempts.map(attempt => {
    const { startMs, ms, connectMs, firstByteMs } = attempt;
    const queuedMs = Math.min(queueMs, Math.max(0, startMs - freeMs));
    queueMs -= queuedMs;
    freeMs = startMs + ms;
    const connectedMs = Math.min(connectMs ?? ms, ms);
    const respondedMs = Math.min(Math.max(firstByteMs ?? ms, connectedMs), ms);
    return [
      { phase: 'queue', startMs: startMs - queuedMs, ms: queuedMs },
      { phase: 'connect', startMs, ms: connectedMs },
      { phase: 'wait', startMs: startMs + connectedMs, ms: respondedMs - connectedMs },
      { phase: 'body', startMs: startMs + respondedMs, ms: ms - respondedMs },
    ].filter(segment => segment.ms > 0) as Segment[];
  });
}
