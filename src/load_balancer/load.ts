/**
 * Requests in flight to an endpoint, from the pools of all plans together. The state is kept by the address alone: a
 * reload that changes a setting must not make a busy endpoint look idle to `leastRequests`.
 */
export class Load {
  inFlight = 0;

  get isWorthKeeping(): boolean {
    return this.inFlight > 0;
  }

  dispose(): void {}
}
