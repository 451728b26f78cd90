/** The progress of a drain: for `/status`, the service manager and `drain --watch`. */
import { countByRoute } from '../http/active_requests.ts';
import { counted } from '../observability/number_text.ts';
import type { Clock, Timer } from '../resilience/clock.ts';
import type { Runtime } from './runtime_state.ts';
import type { DrainProgress, ProcessPhase } from './shutdown.ts';

export interface DrainView {
  readonly phase: ProcessPhase;
  /** Who asked for it; null: the process serves. */
  readonly cause: string | null;
  /** Time until the remaining requests are cut: the rest of `process.drain.delay` and `timeout`. Null: the process serves. */
  readonly remainingMs: number | null;
  /** Requests in flight, without tunnels. */
  readonly requests: number;
  readonly tunnels: number;
  readonly connections: number;
  /** Requests and tunnels by route; `-`: no route has matched yet. */
  readonly routes: Readonly<Record<string, number>>;
}

export function drainView(phase: ProcessPhase, progress: DrainProgress | null, runtime: Runtime): DrainView {
  const { traffic, connections, clock } = runtime;
  const active = traffic.active.list();
  return {
    phase,
    cause: progress?.cause ?? null,
    remainingMs: progress === null ? null : Math.max(0, Math.round(progress.deadlineAtMs - clock.nowMs())),
    requests: Math.max(0, active.length - traffic.tunnels),
    tunnels: traffic.tunnels,
    connections: connections.size,
    routes: countByRoute(active),
  };
}

/** `draining: 3 requests (api 2, web 1), 0 tunnels, 5 connections; cut in 12 s`. */
export function describeDrain(view: DrainView): string {
  const { phase, remainingMs, requests, tunnels, connections, routes } = view;
  const places = Object.entries(routes).map(([route, number]) => `${route} ${number}`);
  const where = places.length === 0 ? '' : ` (${places.join(', ')})`;
  const counts = `${counted(requests, 'request')}, ${counted(tunnels, 'tunnel')}${where}, ${counted(connections, 'connection')}`;
  const time = remainingMs === null ? '' : `; cut in ${Math.ceil(remainingMs / 1_000)} s`;
  return `${phase === 'lame_duck' ? 'lame duck, still accepting' : phase}: ${counts}${time}`;
}

const EVERY_MS = 1_000;

/** Reports the progress once a second, from `begin` to `dispose`. */
export class DrainReport {
  readonly #view: () => DrainView;
  readonly #report: (text: string) => void;
  readonly #clock: Clock;
  #timer: Timer | null = null;

  constructor(view: () => DrainView, report: (text: string) => void, clock: Clock) {
    this.#view = view;
    this.#report = report;
    this.#clock = clock;
  }

  begin(): void {
    this.#report(describeDrain(this.#view()));
    this.#timer = this.#clock.setTimer(again, EVERY_MS, this as DrainReport);
  }

  dispose(): void {
    this.#clock.cancelTimer(this.#timer);
    this.#timer = null;
  }
}

function again(report: DrainReport): void {
  report.begin();
}
