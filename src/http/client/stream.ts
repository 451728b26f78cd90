/**
 * The client's side of one request: its body, and the means to respond. Implemented by `http1_stream.ts` and
 * `http2_stream.ts`; nothing behind it knows which protocol the client speaks.
 */
import type { Duplex, Readable } from 'node:stream';

/** Callbacks for the owner of a request. */
export interface ClientStreamObserver {
  /** The client reads again after a `write` that returned false. */
  onClientDrain(): void;
  /**
   * The exchange with this client is over; called exactly once. `complete` if every byte of the response was handed
   * to the operating system.
   */
  onClientClose(complete: boolean): void;
}

export interface ClientStream {
  /** Body of the request, paused until it is read. */
  readonly body: Readable;
  /** The head of the final response was written: from here on a failure can only cut the stream. */
  readonly headSent: boolean;
  /** Earlier responses on the same connection go first (RFC 9112 section 9.3.2). */
  readonly isQueued: boolean;
  /** Bytes handed to the operating system on the whole connection, where streams share it (HTTP/2); otherwise 0. */
  readonly connectionBytes: number;
  /** Bytes written that the operating system has not taken yet. */
  readonly unsentBytes: number;
  /** Bytes in memory of both directions: written and not sent, or received and not read. */
  readonly heldBytes: number;
  /** Bytes of the request body that were received and not read. */
  readonly unreadBytes: number;
  /** The whole body of the request has arrived. */
  readonly bodyReceived: boolean;
  /** Its answer ends the connection: what comes behind it is not answered (RFC 9112 section 9.6). False where streams share it. */
  readonly isLast: boolean;

  /** Sets the observer; called once, before anything else. */
  observe(observer: ClientStreamObserver): void;
  /** Sends an interim response (RFC 9110 section 15.2); 100 asks for the body. Not sent to HTTP/1.0 clients. */
  writeInformation(status: number, headers: readonly string[]): void;
  /**
   * Sends the head at once, or together with the first bytes of the body if they come in the same turn.
   * `endOfStream`: neither body nor trailers follow, and HTTP/2 says so with the head (gRPC's Trailers-Only).
   */
  writeHead(status: number, statusText: string, headers: readonly string[], endOfStream: boolean): void;
  /** Returns false if the caller must wait for `onClientDrain`. */
  write(chunk: Buffer): boolean;
  /** Ends the response cleanly. Trailers are sent if the protocol can carry them. */
  end(trailers: readonly string[] | null): void;
  /** Sends a head and a complete small body. */
  respond(status: number, headers: readonly string[], body: string): void;
  /** Breaks the stream, so that the client cannot take what it has for a complete response. */
  abort(): void;
  /** Destroys the stream at once, after an `abort` that the client did not take either. */
  destroy(): void;
  /** Closes the connection (HTTP/1.1), or opens it to no new streams (HTTP/2), after this response. */
  closeAfterResponse(): void;
  /**
   * Nobody knows where the next request begins, so the connection is closed after this response (HTTP/1.1). HTTP/2
   * frames each stream by itself, and the other streams continue (RFC 9113 section 5.4.2).
   */
  distrustConnection(): void;
  /** The bare connection, for a tunnel. The stream is not used any more and calls no observer. Only for HTTP/1.1. */
  takeSocket(): Duplex;
}
