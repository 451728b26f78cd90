/** Settings of the delay between two attempts. */
export interface BackoffSettings {
  readonly baseMs: number; // at least 1
  readonly maxMs: number; // at least baseMs
}
