/** Watching the traffic itself. */
export interface PassiveHealthSettings {
  readonly consecutiveFailures: number;
  readonly ejectMs: number;
  /** At most this share of a cluster is out at once; one endpoint may always be, if there are two or more. */
  readonly ejectedRatioMax: number;
}
