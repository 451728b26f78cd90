/** Settings of the circuit breaker of one endpoint. */
export interface CircuitBreakerSettings {
  readonly failureRatio: number; // above 0, to 1
  readonly requestsMin: number; // at least 1
  readonly windowMs: number;
  readonly openMs: number;
}
