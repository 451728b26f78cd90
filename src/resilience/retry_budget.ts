/** Retries of a cluster are at most `ratio` of its requests plus `perSecondMin` a second. */
export interface RetryBudgetSettings {
  readonly ratio: number; // 0 to 1
  readonly perSecondMin: number; // at least 0
}
