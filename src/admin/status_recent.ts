/** What went wrong in the last minute, and how near the process is to its limits: the part of `/status` that problems are made of. */
import type { Plan } from '../config/plan.ts';
import type { Runtime } from '../lifecycle/runtime_state.ts';
import { backendSockets } from '../net/descriptors.ts';
import type { TlsRefusal } from '../net/tls_refusal.ts';
import type { RecentCount } from '../resilience/recent_counts.ts';
import type { Sample } from './samples.ts';
import type { HandshakesView, LimitView, LoadView } from './status_view.ts';

export function describeRecent({ connections, telemetry, linesLost }: Runtime, nowMs: number) {
  return {
    handshakes: handshakesOf(connections.recentHandshakes(), telemetry.recentTlsRefusals.list(nowMs)),
    rateLimited: telemetry.recentlyLimited.list(nowMs),
    recentFailures: telemetry.recentFailures.list(nowMs),
    linesLost: linesLost.total(nowMs),
  };
}

function handshakesOf(
  succeeded: readonly RecentCount[],
  refused: readonly RecentCount<TlsRefusal>[],
): HandshakesView[] {
  const listeners = new Set([...succeeded, ...refused].map(({ about }) => about));
  return [...listeners].map(listener => ({
    listener,
    succeeded: succeeded.find(({ about }) => about === listener)?.count ?? 0,
    failed: refused
      .filter(({ about }) => about === listener)
      .map(({ cause, count }) => ({ cause, count }))
      .toSorted((a, b) => b.count - a.count),
  }));
}

/** Limits that are off or unknown are left out. */
export function limitsOf({ process, listeners }: Plan, { connections }: Runtime): LimitView[] {
  const { descriptorsMax } = connections;
  const states = connections.countByState();
  const own: LimitView[] = [
    {
      what: 'client connections',
      listener: null,
      used: connections.size,
      max: process.connectionsMax,
      key: 'process.connections',
    },
    {
      what: 'descriptors for client connections',
      listener: null,
      used: connections.size,
      max: descriptorsMax,
      key: null,
    },
    {
      what: 'descriptors for backend connections',
      listener: null,
      used: backendSockets.open,
      max: backendSockets.max,
      key: null,
    },
  ];
  const ofListeners = Object.values(listeners).map(({ name, connectionsMax }): LimitView => {
    const {
      new: fresh,
      active,
      idle,
      tunnel,
    } = states.get(name) ?? { new: 0, active: 0, idle: 0, tunnel: 0 };
    return {
      what: 'client connections',
      listener: name,
      used: fresh + active + idle + tunnel,
      max: connectionsMax ?? Number.POSITIVE_INFINITY,
      key: `listeners.${name}.limits.connections`,
    };
  });
  return [...own, ...ofListeners].filter(({ max }) => Number.isFinite(max));
}

/** Over so many seconds, because a single second may be one reload or one garbage collection. */
const LOAD_SECONDS = 10;

/** Zero until there are samples of ten seconds: a start is busy. */
export function loadOf(samples: readonly Sample[], { process }: Plan): LoadView {
  const last = samples.length < LOAD_SECONDS ? [] : samples.slice(-LOAD_SECONDS);
  const mean = (figure: (sample: Sample) => number): number =>
    last.reduce((sum, sample) => sum + figure(sample), 0) / Math.max(1, last.length);
  return {
    loopShare: mean(({ loopShare }) => loopShare),
    cpuShare: mean(({ cpuShare }) => cpuShare),
    loopDelayMs: mean(({ loopDelayMs }) => loopDelayMs),
    loopDelayMaxMs: process.overload.eventLoopDelayMs,
  };
}
