/** Sizes of a request body. Counting while it streams is `http/body_relay`'s. */
import type { Failure } from '../resilience/failure.ts';

/** Refuses by `Content-Length` before any backend is asked. Null: fits, or is not known yet, or there is no limit. */
export function bodyLengthFailure(contentLength: number | null, limitBytes: number | null): Failure | null {
  if (contentLength === null || limitBytes === null || contentLength <= limitBytes) return null;
  return { kind: 'body_too_large', limitBytes };
}
