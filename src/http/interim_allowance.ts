/**
 * Limits how many interim responses (RFC 9110 section 15.2) of one request are passed on: a burst, then one a second.
 * They are optional, and nothing slows down a backend that sends them. 103 comes a few times, 102 as a heartbeat.
 */
const BURST_MAX = 16;
const EVERY_MS = 1_000;

export class InterimAllowance {
  #used = 0;
  #atMs = 0;

  /**
   * False means that this response is one too many. It is not counted: of two a second, one a second passes for as
   * long as they come.
   */
  take(nowMs: number): boolean {
    this.#used = Math.max(0, this.#used - (nowMs - this.#atMs) / EVERY_MS);
    this.#atMs = nowMs;
    if (this.#used > BURST_MAX - 1) return false;
    this.#used++;
    return true;
  }
}
