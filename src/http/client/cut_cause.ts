/** Finds out why Node ended an HTTP/2 connection: because of what the client did on it, or not. */
import type { CutCause } from '../../net/connection.ts';

/** nghttp2 has a limit for acknowledgements that wait, and one for CONTINUATION frames. */
const NGHTTP2_ERR_FLOODED = -904;
const NGHTTP2_ERR_TOO_MANY_CONTINUATIONS = -905;

/** Returns null if the connection just broke. */
export function cutCauseOf({ code, errno }: NodeJS.ErrnoException): CutCause | null {
  if (code?.startsWith('ERR_HTTP2_') !== true) return null;
  if (code !== 'ERR_HTTP2_ERROR') return 'flood'; // too many invalid frames, too many refused streams
  const isFlood = errno === NGHTTP2_ERR_FLOODED || errno === NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
  return isFlood ? 'flood' : 'protocol';
}
