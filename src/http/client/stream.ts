/**
 * The client's side of one request: its body, and the way to answer. `http1_client.ts` and `http2_client.ts`
 * implement it; nothing behind it knows which protocol the client speaks.
 */
import type { Duplex, Readable } from 'node:stream';

/** What the owner of a request wants to hear. */
export interface ClientStreamObserver {
  /** The client reads again after a `write` that returned false. */
  onClientDrain(): void;
  /** The exchange with this client is over, once, whatever happened: `complete` if every byte of the answer was handed to the system. */
  onClientClose(complete: boolean): void;
}

export interface ClientStream {
  /** The body of the request, paused until somebody reads it. */
  readonly body: Readable;
  /** The head of the final answer was written: a failure can only cut the stream from here on. */
  readonly headSent: boolean;
  /** Earlier answers on the same connection come first (RFC 9112 section 9.3.2). */
  readonly isQueued: boolean;
  /** Of the whole connection where streams share it (HTTP/2), handed to the system so far; 0 where they do not. */
  readonly connectionBytes: number;
  /** Written here and not yet taken by the system. */
  readonly unsentBytes: number;
  /** Of both directions: written here and not sent, or received and not read. */
  readonly heldBytes: number;
  /** Of the body: received, and not read. */
  readonly unreadBytes: number;
  /** The body of the request has come to its end. */
  readonly bodyReceived: boolean;

  /** Listens for the end of the exchange; called once, before anything else. */
  listen(listener: ClientStreamObserver): void;
  /** An interim answer (RFC 9110 section 15.2); 100 asks for the body. Not sent to HTTP/1.0 clients. */
  writeInformation(status: number, headers: readonly string[]): void;
  /** The head leaves at once, or together with the first bytes of the body if they are there in the same turn. `endOfStream`: no body
   * and no trailers follow, and HTTP/2 says so with the head (gRPC's Trailers-Only). */
  writeHead(status: number, statusText: string, headers: readonly string[], endOfStream: boolean): void;
  /** False: wait for `onClientDrain`. */
  write(chunk: Buffer): boolean;
  /** Ends the answer cleanly; trailers are sent where the protocol can carry them. */
  end(trailers: readonly string[] | null): void;
  /** Head and a whole small body. */
  answer(status: number, headers: readonly string[], body: string): void;
  /** Breaks the stream so that the client cannot take what it has for a whole answer. */
  abort(): void;
  /** Whatever is left goes at once: after an `abort` that the client has not taken either. */
  destroy(): void;
  /** The connection is closed (HTTP/1.1) or takes no new streams (HTTP/2) after this answer. */
  closeAfterAnswer(): void;
  /**
   * Nobody knows where the next request begins: the connection is of no more use (HTTP/1.1). HTTP/2 frames each stream by
   * itself, and the others on the connection go on (RFC 9113 section 5.4.2).
   */
  distrustConnection(): void;
  /** The bare connection, for a tunnel; the stream is not used any more and tells nothing more. Only for HTTP/1.1. */
  takeSocket(): Duplex;
}
