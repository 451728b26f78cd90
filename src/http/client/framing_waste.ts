/**
 * Whether a client wraps its bodies in far more bytes than they are: chunks or DATA frames of a byte or so, chunk extensions,
 * frames that carry nothing. Each piece costs CPU, and one that has to wait costs 200 bytes of heap, whatever its size: 64 KiB in
 * pieces of one byte are 14 MB.
 */

/** For what comes before the ratio says anything. */
const FREE_BYTES = 32 * 1_024;
/** HTTP/2 says what it has read of a download by frames of 13 bytes (WINDOW_UPDATE), one for some KiB or more. */
const SENT_BYTES_FOR_ONE = 128;
/** For the head of each request; HTTP/2 compresses it. */
const HEAD_BYTES = { http1: 32 * 1_024, http2: 8 * 1_024 } as const;
/** Somebody types, and each key is a chunk: slowly. */
const FREE_BYTES_PER_SECOND = 1_024;
/** For each byte of a body. A chunk of 3 bytes has 5 around it, a DATA frame of 5 has 9. */
const RATIO_MAX = 2;

interface Received {
  readonly protocol: 'http1' | 'http2';
  /** All that has come, and what of it was body, since there was a first request to answer. */
  readonly wireBytes: number;
  readonly bodyBytes: number;
  /** To the client, in the same time. */
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

/** Around a piece of a body at least: a chunk's length and two line ends. */
const PIECE_FRAMING_BYTES = 5;
/** Of Node, for each piece that waits. */
const PIECE_COST_BYTES = 200;

/** The most that bytes of a body which wait to be read cost beside themselves, given how much framing has come with them. */
export function crumbCost(unreadBytes: number, framingBytes: number): number {
  return PIECE_COST_BYTES * Math.min(unreadBytes, Math.max(0, Math.ceil(framingBytes / PIECE_FRAMING_BYTES)));
}
