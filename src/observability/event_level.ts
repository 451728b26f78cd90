/** How serious each event is. The level is part of the interface: alerts look for it. */
import type { Event } from './events.ts';

export type EventLevel = 'info' | 'warn' | 'error';

/** Formats one event; `wallMs` is the time of day. */
export type EventFormat = (event: Event, level: EventLevel, wallMs: number) => string;

type LevelOf<E extends Event> = EventLevel | ((event: E) => EventLevel);

const LEVELS: { readonly [Kind in Event['kind']]: LevelOf<Event & { kind: Kind }> } = {
  started: 'info',
  listener_opened: 'info',
  listener_closed: 'info',
  connections_refused: 'warn',
  tls_refused: 'info',
  proxy_protocol_refused: 'warn',
  health_changed: ({ to }) => (to === 'healthy' || to === 'warming' ? 'info' : 'warn'),
  health_disagreement: ({ disagree }) => (disagree ? 'warn' : 'info'),
  panic_changed: ({ panic }) => (panic ? 'error' : 'info'),
  endpoints_changed: 'info',
  endpoint_drained: 'warn',
  endpoint_ready: 'info',
  name_failed: 'warn',
  name_resolved: 'info',
  circuit_changed: ({ to }) => (to === 'open' ? 'warn' : 'info'),
  reload: ({ result }) => (result === 'rejected' ? 'error' : 'info'),
  rollback: ({ result }) => (result === 'rejected' ? 'error' : 'warn'),
  certificate: ({ expired }) => (expired ? 'error' : 'warn'),
  overload: ({ state }) => (state === 'shedding' ? 'error' : 'info'),
  audit: 'info',
  limit_store: ({ why }) => (why === null ? 'info' : 'warn'),
  tracing_export: ({ why }) => (why === null ? 'info' : 'warn'),
  log_level_changed: 'info',
  phase_changed: 'info',
  requests_cut: 'warn',
  defect: 'error',
  warning: 'warn',
};

/** All kinds, for the label `event`. */
export const EVENT_KINDS = Object.keys(LEVELS) as readonly Event['kind'][];

export function eventLevel(event: Event): EventLevel {
  const level = LEVELS[event.kind] as LevelOf<Event>;
  return typeof level === 'string' ? level : level(event);
}
