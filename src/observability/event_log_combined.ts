/**
 * An event as in the error log of nginx, for a log whose access lines have the combined format:
 *
 *   2026/11/29 19:52:03 [warn] 4711#0: health_changed: app 10.0.0.1:8080 is unhealthy: connect_refused
 *
 * A line of the access log begins with an address, so that programs tell them apart. The time is in UTC, as in the access
 * lines.
 */
import type { EventFormat } from './event_level.ts';
import { wordsOf } from './event_words.ts';
import { withoutControls } from './visible_text.ts';

/** `pid` is the process id. */
export function combinedEventFormat(pid: number): EventFormat {
  return (event, level, wallMs) => {
    const { sentence, more } = wordsOf(event);
    const time = new Date(wallMs).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');
    const text = [`${event.kind}: ${sentence}`, ...more].join('; ');
    return `${time} [${level}] ${pid}#0: ${withoutControls(text)}\n`;
  };
}
