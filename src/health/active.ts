/** Probing an endpoint from the side. */
export interface ActiveHealthSettings {
  /** `tcp` only connects; `http` asks and compares the status. */
  readonly probe:
    | { readonly kind: 'tcp' }
    | {
        readonly kind: 'http';
        readonly path: string;
        readonly statusMin: number;
        readonly statusMax: number;
      };
  readonly intervalMs: number;
  readonly timeoutMs: number; // at most intervalMs
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}
