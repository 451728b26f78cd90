/** How serious each event is. The level is part of the interface: alerts look for it. */
import type { Event } from './events.ts';

export type EventLevel = 'info' | 'warn' | 'error';

/** Formats one event; `wallMs` is the time of day. */
export type EventFormat = (event: Event, level: EventLevel, wallMs: number) => string;

export function eventLevel(event: Event): EventLevel {
  switch (event.kind) {
    case 'defect':
      return 'error';
    case 'warning':
    case 'requests_cut':
    case 'connections_refused':
    case 'proxy_protocol_refused':
    case 'name_failed':
      return 'warn';
    case 'overload':
      return event.state === 'shedding' ? 'error' : 'info';
    case 'panic_changed':
      return event.panic ? 'error' : 'info';
    case 'health_changed':
      return event.to === 'healthy' || event.to === 'warming' ? 'info' : 'warn';
    case 'health_disagreement':
      return event.disagree ? 'warn' : 'info';
    case 'circuit_changed':
      return event.to === 'open' ? 'warn' : 'info';
    case 'certificate':
      return event.expired ? 'error' : 'warn';
    case 'limit_store':
    case 'tracing_export':
      return event.why === null ? 'info' : 'warn';
    case 'endpoint_drained':
      return 'warn';
    case 'rollback':
      return event.result === 'rejected' ? 'error' : 'warn';
    case 'reload':
      return event.result === 'rejected' ? 'error' : 'info';
    default:
      return 'info';
  }
}
