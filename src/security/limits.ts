/** The size of a request body by its head; `http/body_relay` counts it while it streams. */
import type { Failure } from '../resilience/failure.ts';

/**
 * Refuses a body by its `Content-Length` before any backend is involved. Null: it fits, its length is unknown, or
 * there is no limit.
 */
export function bodyLengthFailure(contentLength: number | null, limitBytes: number | null): Failure | null {
  if (contentLength === null || limitBytes === null || contentLength <= limitBytes) return null;
  return { kind: 'body_too_large', limitBytes };
}
