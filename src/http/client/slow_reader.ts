/**
 * Whether a client that has a response to read still reads it.
 *
 * Streams of one HTTP/2 connection share it: while bytes move on the connection, a stream may have to wait for the others.
 * It gets the limit once for each of them and no more, so that a client cannot read one stream and block the others for
 * ever. An HTTP/1.1 response that waits for earlier ones is never the client's fault.
 */
import type { ClientStream } from './stream.ts';

/** The connection of the response, with its number of requests in flight. */
interface SharedConnection {
  readonly active: number;
}

/** A system timer may fire a fraction of a millisecond early. */
const EARLY_MS = 1;

/** Watches from the moment when it is created. */
export class SlowReader {
  readonly #client: ClientStream;
  readonly #peer: SharedConnection;
  #progressAtMs: number;
  #unsentBytes: number;
  #connectionBytes: number;
  #movedAtMs: number;
  /** Highest number of requests in flight on the connection that was seen. */
  #activeMax: number;

  constructor(client: ClientStream, peer: SharedConnection, nowMs: number) {
    this.#client = client;
    this.#peer = peer;
    this.#progressAtMs = nowMs;
    this.#unsentBytes = client.unsentBytes;
    this.#connectionBytes = client.connectionBytes;
    this.#movedAtMs = nowMs;
    this.#activeMax = peer.active;
  }

  hasStopped(nowMs: number, limitMs: number): boolean {
    const { unsentBytes, connectionBytes, isQueued } = this.#client;
    if (isQueued || unsentBytes < this.#unsentBytes) this.#progressAtMs = nowMs;
    if (connectionBytes > this.#connectionBytes) this.#movedAtMs = nowMs;
    this.#unsentBytes = unsentBytes;
    this.#connectionBytes = connectionBytes;
    this.#activeMax = Math.max(this.#activeMax, this.#peer.active);
    const waitedMs = nowMs - this.#progressAtMs + EARLY_MS;
    const stoodMs = nowMs - this.#movedAtMs + EARLY_MS;
    return waitedMs >= limitMs && (stoodMs >= limitMs || waitedMs >= limitMs * this.#activeMax);
  }
}
