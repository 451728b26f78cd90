/** The log: lines of requests and events, in one format, to one destination. */
import type { Clock } from '../resilience/clock.ts';
import type { EventLevel } from './event_level.ts';
import type { Event, RequestRecord } from './events.ts';
import type { LogDestination } from './log_destination.ts';
import { type FormatSettings, type LogFormat, logFormat } from './log_format.ts';

/** From the most to the least verbose. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggingSettings extends FormatSettings {
  readonly level: LogLevel;
  /** As configured: `auto` is decided where the destination is opened. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** How JSON and pretty lines write the time. */
  readonly time: 'epoch' | 'iso';
  /** Absolute path; null: standard output. */
  readonly file: string | null;
  readonly access: FormatSettings['access'] & {
    readonly enabled: boolean;
    /** Share of the successful requests that are logged, 0 to 1; failures always are. */
    readonly sample: number;
    /** Query parameters whose values are masked in logs. */
    readonly redactQuery: readonly string[];
  };
  /** Networks whose `X-Fairlead-Explain: 1` is honoured. */
  readonly explainFrom: readonly string[];
}

export class Log {
  readonly #destination: LogDestination;
  readonly #clock: Clock;
  #format: LogFormat;
  #configured: LogLevel;
  #override: LogLevel | null = null;

  constructor(settings: LoggingSettings, destination: LogDestination, clock: Clock) {
    this.#destination = destination;
    this.#clock = clock;
    this.#configured = settings.level;
    this.#format = this.#formatOf(settings);
  }

  /** Applies other settings after a reload; an override of the level stays. */
  setSettings(settings: LoggingSettings): void {
    this.#configured = settings.level;
    this.#format = this.#formatOf(settings);
  }

  #formatOf(settings: LoggingSettings): LogFormat {
    return logFormat(settings, this.#destination.terminal ?? null, process.pid);
  }

  get level(): LogLevel {
    return this.#override ?? this.#configured;
  }

  /** Overrides the configured level; null ends that. */
  setLevel(level: LogLevel | null): void {
    this.#override = level;
  }

  /** `path` without secrets. */
  writeRequest(record: RequestRecord, path: string): void {
    this.#destination.write(this.#format.access(record, path, this.#clock.wallMs()));
  }

  /** What a person did is logged at every level. */
  writeEvent(event: Event, level: EventLevel): void {
    if (event.kind !== 'audit' && LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.level)) return;
    this.#destination.write(this.#format.event(event, level, this.#clock.wallMs()));
  }
}
