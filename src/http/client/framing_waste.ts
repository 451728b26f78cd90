/**
 * Finds clients that send far more framing than body: chunks or DATA frames of a byte or so, chunk extensions, frames that
 * carry nothing. Each piece costs CPU, and a piece that has to wait costs 200 bytes of heap, whatever its size: 64 KiB in
 * pieces of one byte take 14 MB.
 */

/** Allowed on each connection, because the ratio means little for a few bytes. */
const FREE_BYTES = 32 * 1_024;
/** An HTTP/2 client acknowledges what it reads with frames of 13 bytes (WINDOW_UPDATE), one for some KiB or more. */
const SENT_BYTES_FOR_ONE = 128;
/** Allowed for the head of each request; HTTP/2 compresses it. */
const HEAD_BYTES = { http1: 32 * 1_024, http2: 8 * 1_024 } as const;
/** Allowed for small pieces that come slowly, for example a chunk for each key that somebody types. */
const FREE_BYTES_PER_SECOND = 1_024;
/** Allowed for each byte of a body. A chunk of 3 bytes has 5 bytes of framing, a DATA frame of 5 bytes has 9. */
const RATIO_MAX = 2;

interface Received {
  readonly protocol: 'http1' | 'http2';
  /** Bytes received since the connection was last idle, and those of them that belong to bodies. */
  readonly wireBytes: number;
  readonly bodyBytes: number;
  /** Bytes sent to the client in the same time. */
  readonly sentBytes: number;
  readonly requests: number;
  readonly elapsedMs: number;
}

export function isWasteful(received: Received): boolean {
  const { protocol, wireBytes, bodyBytes, sentBytes, requests, elapsedMs } = received;
  const slowly = (elapsedMs / 1_000) * FREE_BYTES_PER_SECOND + sentBytes / SENT_BYTES_FOR_ONE;
  const free = FREE_BYTES + requests * HEAD_BYTES[protocol] + slowly;
  return wireBytes - bodyBytes > free + RATIO_MAX * bodyBytes;
}

/** Least framing of one piece of a body: a chunk's length and two line ends. */
const PIECE_FRAMING_BYTES = 5;
/** What Node needs for each piece that waits. */
const PIECE_COST_BYTES = 200;

/** Upper limit for the overhead of body bytes that wait to be read, from the framing that came with them. */
export function crumbCost(unreadBytes: number, framingBytes: number): number {
  return PIECE_COST_BYTES * Math.min(unreadBytes, Math.max(0, Math.ceil(framingBytes / PIECE_FRAMING_BYTES)));
}
