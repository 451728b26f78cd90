/**
 * How many interim responses (RFC 9110 section 15.2) of one request are passed on: a burst, then one a second. They are
 * optional, and nothing holds back a backend that sends them: 103 comes a few times, 102 as a heartbeat.
 */
const BURST_MAX = 16;
const EVERY_MS = 1_000;

export class InterimAllowance {
  #used = 0;
  #atMs = 0;

  /** False: this one is one too many. It does not count: a backend that sends two a second for an hour is heard once a second. */
  take(nowMs: number): boolean {
    this.#used = Math.max(0, this.#used - (nowMs - this.#atMs) / EVERY_MS);
    this.#atMs = nowMs;
    if (this.#used > BURST_MAX - 1) return false;
    this.#used++;
    return true;
  }
}
