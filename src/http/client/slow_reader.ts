/**
 * Whether a client that has something to read still reads. Streams of one HTTP/2 connection share its line: while bytes move
 * on it, one of them may have to wait for the others, as many times the limit as there are of them, and no longer: a client
 * that reads one stream and shuts the others is not waited for. An HTTP/1.1 answer that waits for its turn is not the
 * client's fault at all.
 */
import type { ClientStream } from './stream.ts';

/** How many requests are under way on the connection. */
interface SharedConnection {
  readonly active: number;
}

/** A system timer may ring a fraction of a millisecond early. */
const EARLY_MS = 1;

/** From the moment when it is made. */
export class SlowReader {
  readonly #client: ClientStream;
  readonly #peer: SharedConnection;
  #progressAtMs: number;
  #unsentBytes: number;
  #connectionBytes: number;
  #movedAtMs: number;
  /** Most requests at once on its connection, as far as was looked. */
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
