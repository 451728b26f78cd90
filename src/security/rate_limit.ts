/** What shares one allowance: the client's address (IPv6 by /64), everybody on the route, or a header's value. */
export type RateLimitKey =
  | { readonly kind: 'clientIp' }
  | { readonly kind: 'route' }
  | { readonly kind: 'header'; readonly name: string }; // lower case

export interface RateLimitSettings {
  /** Unique within the route, `route/index`: the metric label and the fact in the failure. */
  readonly name: string;
  readonly key: RateLimitKey;
  /** The rate as written: `count` per `periodMs`. */
  readonly count: number;
  readonly periodMs: number;
  /** Requests that may come at once on top of the rate; at least 1. */
  readonly burst: number;
  /** `shadow` counts what it would refuse, and refuses nothing. */
  readonly mode: 'enforce' | 'shadow';
}
