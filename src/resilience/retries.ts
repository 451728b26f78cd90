import type { BackoffSettings } from './backoff.ts';

/** What a route wants repeated. */
export interface RetrySettings {
  /** Attempts after the first one; 0 switches retries off. */
  readonly attemptsMax: number;
  /** Failures before the answer's head that may be repeated: no connection, or a connection that broke. */
  readonly onConnect: boolean;
  readonly onReset: boolean;
  /** Answers of a backend that may be repeated, for example 503. */
  readonly onStatuses: readonly number[];
  readonly perTryMs: number | null;
  readonly backoff: BackoffSettings;
  /** Bytes of a request body that are kept for another attempt; beyond that it is sent once only. */
  readonly replayBytesMax: number;
}
