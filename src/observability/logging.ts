/** Lines of events through pino, on the same destination as the access lines. */
import pino, { type Logger } from 'pino';
import { escapeControls } from './access_log.ts';
import type { LogDestination } from './log_destination.ts';

/** From the most to the least that is written. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggingSettings {
  readonly level: LogLevel;
  /** Absolute; null: standard output. */
  readonly file: string | null;
  readonly access: {
    readonly enabled: boolean;
    /** Share of the successful requests that is logged, 0 to 1; failures always are. */
    readonly sample: number;
    /** Query parameters whose value is replaced in logs. */
    readonly redactQuery: readonly string[];
    readonly format: 'json' | 'ecs' | 'combined';
  };
  /** Networks whose `X-Fairlead-Explain: 1` is obeyed. */
  readonly explainFrom: readonly string[];
}

export function createLogger(settings: LoggingSettings, destination: LogDestination): Logger {
  return pino(
    { level: settings.level, base: null },
    { write: line => destination.write(escapeControls(line)) },
  );
}
