/** The failure that a timeout of a request means. */
import type { Failure } from '../resilience/failure.ts';
import type { TimeoutName } from '../resilience/timeouts.ts';

/**
 * `waitsForBackend`: the body of the request does not move because the backend does not take it, so a client that sends
 * nothing is not to blame. `afterMs` is the limit that was reached.
 */
export function failureOfTimeout(name: TimeoutName, afterMs: number, waitsForBackend: boolean): Failure {
  switch (name) {
    case 'request':
      return { kind: 'request_timeout', afterMs };
    case 'perTry':
      return { kind: 'per_try_timeout', afterMs };
    case 'responseHead':
      return { kind: 'response_head_timeout', afterMs };
    case 'responseIdle':
      return { kind: 'response_idle_timeout', afterMs };
    case 'bodyIdle':
      return waitsForBackend
        ? { kind: 'response_head_timeout', afterMs }
        : { kind: 'client_timeout', timer: 'bodyIdle', afterMs };
  }
}
