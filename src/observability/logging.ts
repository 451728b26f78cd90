/** Log lines of events through pino, to the same destination as the access log. */
import pino, { type Logger } from 'pino';
import { escapeControls } from './access_log.ts';
import type { LogDestination } from './log_destination.ts';

/** From the most to the least verbose. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggingSettings {
  readonly level: LogLevel;
  /** As configured: `auto` is decided where the destination is opened. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** How JSON and pretty lines write the time. */
  readonly time: 'epoch' | 'iso';
  /** Absolute path; null: standard output. */
  readonly file: string | null;
  readonly access: {
    readonly enabled: boolean;
    /** Share of the successful requests that are logged, 0 to 1; failures always are. */
    readonly sample: number;
    /** Query parameters whose values are masked in logs. */
    readonly redactQuery: readonly string[];
    readonly format: 'json' | 'ecs' | 'combined';
  };
  /** Networks whose `X-Fairlead-Explain: 1` is honoured. */
  readonly explainFrom: readonly string[];
}

export function createLogger(settings: LoggingSettings, destination: LogDestination): Logger {
  return pino(
    { level: settings.level, base: null },
    { write: line => destination.write(escapeControls(line)) },
  );
}
