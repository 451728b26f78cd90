/**
 * Whether a client that has something to read still reads. Streams of one HTTP/2 connection share its line: while bytes move
 * on it, one of them may have to wait for the others, as many times the limit as there are of them, and no longer: a client
 * that reads one stream and shuts the others is not waited for. An HTTP/1.1 answer that waits for its turn is not the
 * client's fault at all.
 */
import type { ClientStream } from './stream.ts';

/** How many requests are under way on the connection. */
interface Sharers {
  readonly active: number;
}

/** A system timer may ring a fraction of a millisecond early. */
const EARLY_MS = 1;

/** From the moment when it is made. */
export class SlowReader {
  readonly #client: ClientStream;
  readonly #peer: Sharers;
  #sinceMs: number;
  #unsentBytes: number;
  #connectionBytes: number;
  #movedMs: number;
  /** Most requests at once on its connection, as far as was looked. */
  #sharersMax: number;

  constructor(client: ClientStream, peer: Sharers, nowMs: number) {
    this.#client = client;
    this.#peer = peer;
    this.#sinceMs = nowMs;
    this.#unsentBytes = client.unsentBytes;
    this.#connectionBytes = client.connectionBytes;
    this.#movedMs = nowMs;
    this.#sharersMax = peer.active;
  }

  hasStopped(nowMs: number, limitMs: number): boolean {
    const { unsentBytes, connectionBytes, isQueued } = this.#client;
    if (isQueued || unsentBytes < this.#unsentBytes) this.#sinceMs = nowMs;
    if (connectionBytes > this.#connectionBytes) this.#movedMs = nowMs;
    this.#unsentBytes = unsentBytes;
    this.#connectionBytes = connectionBytes;
    this.#sharersMax = Math.max(this.#sharersMax, this.#peer.active);
    const waitedMs = nowMs - this.#sinceMs + EARLY_MS;
    const stoodMs = nowMs - this.#movedMs + EARLY_MS;
    return waitedMs >= limitMs && (stoodMs >= limitMs || waitedMs >= limitMs * this.#sharersMax);
  }
}
