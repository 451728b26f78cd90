/**
 * Everything that serves requests under one plan, and the one reference through which traffic reaches it.
 * Built by `lifecycle/assemble`. A request reads `planeRef.current.plane` once and keeps it to its end.
 */
import type { ClusterPool } from '../load_balancer/pool.ts';
import type { ClusterHandles, RouteHandles } from '../observability/metrics.ts';
import type { CircuitBreaker } from '../resilience/circuit_breaker.ts';
import type { RetryBudget } from '../resilience/retry_budget.ts';
import type { Maintenance } from '../routing/maintenance.ts';
import type { RedirectTarget, Rewrite } from '../routing/rewrite.ts';
import type { RouteLimits, RouteSettings } from '../routing/route.ts';
import type { Router } from '../routing/router.ts';
import type { Split } from '../routing/split.ts';
import type { AccessList } from '../security/access.ts';
import type { BasicAuth } from '../security/basic_auth.ts';
import type { NetworkSet, ProxyTrust } from '../security/client_address.ts';
import type { BuiltHeaderEdits, HeaderList } from '../security/headers.ts';
import type { LimitStore } from '../security/limit_store.ts';
import type { StoreLimits } from '../security/limits_in_store.ts';
import type { RateLimiter } from '../security/rate_limit.ts';
import type { ListenerSettings } from './listener_settings.ts';

export interface BoundCluster {
  readonly name: string;
  readonly pool: ClusterPool;
  /** Name of the load balancing policy, as in the configuration. */
  readonly policy: string;
  readonly protocol: 'http1' | 'http2' | 'h2c';
  readonly retryBudget: RetryBudget;
  /** Circuit breaker of the cluster as a whole. It counts each request once, with all its attempts. */
  readonly circuit: CircuitBreaker | null;
  readonly handles: ClusterHandles;
  /** Endpoints whose host name has no address, with the error code of the lookup. */
  readonly unresolved: () => readonly {
    readonly endpoint: string;
    readonly code: string;
    readonly failedAtMs: number;
    readonly weight: number;
  }[];
}

export type BoundAction =
  | { readonly kind: 'forward'; readonly split: Split<BoundCluster> }
  | { readonly kind: 'redirect'; readonly status: number; readonly to: RedirectTarget }
  | {
      readonly kind: 'respond';
      readonly status: number;
      readonly headers: HeaderList;
      readonly body: string;
    };

/** A route as one listener serves it. */
export interface BoundRoute {
  readonly settings: RouteSettings;
  readonly limits: RouteLimits;
  readonly action: BoundAction;
  readonly rewrite: Rewrite | null;
  readonly requestEdits: BuiltHeaderEdits;
  readonly responseEdits: BuiltHeaderEdits;
  readonly access: AccessList;
  /** Null: the route serves. */
  readonly maintenance: Maintenance | null;
  /** The limits that this process counts on its own. */
  readonly rateLimiters: readonly RateLimiter[];
  /** The limits that a store counts for several machines; null: none. */
  readonly storeLimits: StoreLimits | null;
  /** Null: no login is required. */
  readonly basicAuth: BasicAuth | null;
  readonly handles: RouteHandles;
}

export interface BoundListener {
  readonly settings: ListenerSettings;
  readonly router: Router<BoundRoute>;
  readonly trust: ProxyTrust;
  readonly access: AccessList;
  /** Metric handles for requests that match no route. */
  readonly handles: RouteHandles;
}

/** Where each value of the plan comes from, by its path in the plan: `file:line:col`, or `default`. */
export interface SettingOrigins {
  get(planPath: string): string;
}

export interface DataPlane {
  /** Digest of the plan that this data plane was built from. */
  readonly digest: string;
  readonly listeners: ReadonlyMap<string, BoundListener>;
  readonly clusters: ReadonlyMap<string, BoundCluster>;
  readonly stores: ReadonlyMap<string, LimitStore>;
  readonly origins: SettingOrigins;
  /** How the trace context of a request is handled. */
  readonly tracing: {
    readonly propagate: boolean;
    /** Whether a request without a trace starts one. */
    readonly start: boolean;
    /** Share of the traces started here that are recorded, 0 to 1; null: no spans are exported. */
    readonly sample: number | null;
  };
  /** Clients that may ask for a decision record with `X-Fairlead-Explain: 1`; null: nobody. */
  readonly explainFrom: NetworkSet | null;
}

/** The only mutable link between traffic and configuration: `current` is replaced as a whole (`lifecycle/apply_plan.ts`). */
export interface PlaneRef {
  readonly current: { readonly plane: DataPlane };
}
