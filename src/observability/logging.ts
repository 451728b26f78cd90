/**
 * Where log lines go: pino for what happens seldom, and the same destination for access lines. Nothing here may
 * block a request: lines are buffered up to a bound, written without waiting, and dropped and counted beyond it.
 */
import pino, { type Logger } from 'pino';

export interface LoggingSettings {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly access: {
    readonly enabled: boolean;
    /** Share of the successful requests that is logged, 0 to 1; failures always are. */
    readonly sample: number;
    /** Query parameters whose value is replaced in logs. */
    readonly redactQuery: readonly string[];
  };
}

/** What is kept for a reader that is slow; beyond it lines are dropped. */
const BUFFER_BYTES_MAX = 8 * 1024 * 1024;
/** Lines are written together once they fill so much, and at the latest after FLUSH_EVERY_MS. */
const WRITE_BYTES_MIN = 8 * 1024;
const FLUSH_EVERY_MS = 200;

export interface LogDestination {
  write(line: string): void;
  reopen(): void;
  /** Writes what is buffered; for the end of the process. */
  flush(): void;
}

export function openDestination(target: { readonly fd: number } | { readonly file: string }, onDrop: () => void): LogDestination {
  const destination = pino.destination({
    dest: 'fd' in target ? target.fd : target.file,
    sync: false,
    minLength: WRITE_BYTES_MIN,
    maxLength: BUFFER_BYTES_MAX,
    periodicFlush: FLUSH_EVERY_MS,
  });
  destination.on('drop', onDrop);
  destination.on('error', onDrop); // a reader that went away must not take the proxy with it
  return {
    write: line => void destination.write(line),
    reopen: () => ('file' in target ? destination.reopen() : undefined),
    flush: () => {
      try {
        destination.flushSync();
      } catch {
        onDrop(); // nobody reads any more
      }
    },
  };
}

export function createLogger(settings: LoggingSettings, destination: LogDestination): Logger {
  return pino({ level: settings.level, base: null }, { write: line => destination.write(line) });
}
