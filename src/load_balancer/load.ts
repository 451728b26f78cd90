/**
 * How many requests an endpoint has in flight, from the pools of all plans together. Kept by its address alone: a
 * reload that changes a setting must not make a busy endpoint look idle to `leastRequests`.
 */
export class Load {
  inFlight = 0;

  get isWorthKeeping(): boolean {
    return this.inFlight > 0;
  }

  dispose(): void {}
}
