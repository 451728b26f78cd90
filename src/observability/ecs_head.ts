/** What every line in the Elastic Common Schema has in common. */
import type { EventLevel } from './event_level.ts';

/** `wallMs` is the time of day. */
export function ecsHead(wallMs: number, level: EventLevel, message: string) {
  return {
    '@timestamp': new Date(wallMs).toISOString(),
    'log.level': level,
    'ecs.version': '8.11',
    message,
    'service.name': 'fairlead',
    'event.kind': 'event',
  };
}
