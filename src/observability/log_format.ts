/**
 * The format of the whole log: access lines and events always have the same one, so that whoever reads the stream needs
 * one parser.
 *
 *   logging.format   logging.access.format   lines
 *   pretty           any                     for people
 *   auto             json                    for people if the log goes to a terminal, otherwise JSON
 *   auto, json       ecs, combined, json     for programs, as access.format says
 */
import { accessLine, accessLineWithIsoTime, type LineFormat } from './access_log.ts';
import { combinedLine } from './access_log_combined.ts';
import { ecsLine } from './access_log_ecs.ts';
import { prettyFormat } from './access_log_pretty.ts';
import type { EventFormat } from './event_level.ts';
import { combinedEventFormat } from './event_log_combined.ts';
import { ecsEventLine } from './event_log_ecs.ts';
import { jsonEventFormat } from './event_log_json.ts';
import { prettyEventFormat } from './event_log_pretty.ts';
import { painter, type Terminal } from './terminal.ts';

export interface LogFormat {
  readonly access: LineFormat;
  readonly event: EventFormat;
}

export interface FormatSettings {
  /** As configured: `auto` is decided where the destination is opened. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** How JSON and pretty lines write the time. */
  readonly time: 'epoch' | 'iso';
  readonly access: { readonly format: 'json' | 'ecs' | 'combined' };
}

/** `terminal` null: the log goes to a file or to a program. Colour is for terminals only. */
export function logFormat(settings: FormatSettings, terminal: Terminal | null, pid: number): LogFormat {
  const { time } = settings;
  if (isPretty(settings, terminal)) {
    const paint = painter(terminal?.hasColor ?? false);
    return { access: prettyFormat(time, paint), event: prettyEventFormat(time, paint) };
  }
  switch (settings.access.format) {
    case 'json':
      return {
        access: time === 'iso' ? accessLineWithIsoTime : accessLine,
        event: jsonEventFormat(time),
      };
    case 'ecs':
      return { access: ecsLine, event: ecsEventLine };
    case 'combined':
      return { access: combinedLine, event: combinedEventFormat(pid) };
  }
}

/** `auto` does not replace a format that somebody has chosen. */
function isPretty({ format, access }: FormatSettings, terminal: Terminal | null): boolean {
  return format === 'pretty' || (format === 'auto' && terminal !== null && access.format === 'json');
}
