/** The limits of HTTP/2 sessions with clients, from the settings of their listener. */
import type { ServerOptions } from 'node:http2';
import type { ListenerSettings } from '../listener_settings.ts';

/**
 * Limit for response heads, which the backend's side has bounded already. nghttp2 would end the connection above 64
 * KiB.
 */
const SENT_HEAD_BYTES_MAX = 1024 * 1024;
/** Streams over the limit that a session may have refused before it is ended. */
const REJECTED_STREAMS_MAX = 1_000;
/** Entries of one SETTINGS frame; RFC 9113 section 6.5.2 and its extensions define fewer. Node's default is 32. */
const SETTINGS_MAX = 16;
/** The default of Node. */
const SESSION_MEGABYTES_MIN = 10;
/** Minimum size that HTTP/2 counts for a field (RFC 9113 section 6.5.2 adds 32 bytes to its length). */
const HEADER_FIELD_BYTES_MIN = 32;

export function http2ServerOptions(settings: ListenerSettings): ServerOptions {
  const { streamsMax, streamWindowBytes } = settings.http2Settings;
  return {
    settings: {
      enablePush: false,
      maxConcurrentStreams: streamsMax,
      initialWindowSize: streamWindowBytes,
      // Node resets a stream above this limit without a response. A head above our own limit must get its 431.
      maxHeaderListSize: 2 * settings.head.headBytesMax,
    },
    // More pairs than allowed are read, so that the refusal is a response (431) and not a reset. A cookie may be
    // split into as many parts as the bytes of a head allow, each of at least this size (RFC 9113 section 6.5.2).
    maxHeaderListPairs: Math.max(
      2 * settings.head.headerCountMax,
      Math.ceil(settings.head.headBytesMax / HEADER_FIELD_BYTES_MIN),
    ),
    maxSettings: SETTINGS_MAX,
    maxSessionInvalidFrames: REJECTED_STREAMS_MAX, // a stream over the limit counts as one
    // A burst that was sent before the client read our SETTINGS costs its own streams, not the connection.
    maxSessionRejectedStreams: Math.max(REJECTED_STREAMS_MAX, 4 * streamsMax),
    maxSessionMemory: sessionMemoryMegabytes(settings),
    // Rapid reset (CVE-2023-44487): a burst, then a trickle, then GOAWAY.
    streamResetBurst: resetBurst(settings),
    streamResetRate: 33,
    unknownProtocolTimeout: settings.headMs,
    maxSendHeaderBlockLength: SENT_HEAD_BYTES_MAX,
    strictSingleValueFields: false, // fields that a backend sends twice are passed on twice, without an error
  };
}

/** Streams of one session that may be reset at once: all that are open, and as many again that replace them. */
export function resetBurst({ http2Settings }: ListenerSettings): number {
  return 2 * http2Settings.streamsMax;
}

/** Memory that the streams of one session may need at once, in megabytes: a head each, buffered writes, and the windows. */
function sessionMemoryMegabytes({ head, http2Settings }: ListenerSettings): number {
  const { streamsMax, streamWindowBytes, connectionWindowBytes } = http2Settings;
  const bytes = connectionWindowBytes + streamsMax * (head.headBytesMax + 2 * streamWindowBytes);
  return Math.max(SESSION_MEGABYTES_MIN, Math.ceil(bytes / 1_000_000));
}
