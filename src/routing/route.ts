import type { RetrySettings } from '../resilience/retries.ts';
import type { BasicAuthSettings } from '../security/basic_auth.ts';
import type { HeaderEdits } from '../security/headers.ts';
import type { RateLimitSettings } from '../security/rate_limit.ts';
import type { MaintenanceSettings } from './maintenance.ts';

/** One condition on a path. `value` of a prefix never ends in `/`, except for `/` itself. */
export interface PathMatch {
  readonly kind: 'exact' | 'prefix' | 'template' | 'regex';
  readonly value: string;
}

export type TextMatch =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string }
  | { readonly kind: 'present' }
  | { readonly kind: 'absent' };

/** A condition on a header (lower-case name) or a query parameter. */
export interface NamedMatch {
  readonly name: string;
  readonly test: TextMatch;
}

export interface RouteMatch {
  /** Lower case: `a.example.com` or `*.example.com`; empty: any host. */
  readonly hosts: readonly string[];
  readonly path: PathMatch;
  /** Upper case; empty: any method. */
  readonly methods: readonly string[];
  readonly headers: readonly NamedMatch[];
  readonly query: readonly NamedMatch[];
}

/** A request as routes see it; `RequestHead` is one. */
export interface RoutableRequest {
  readonly method: string;
  /** Lower case, without port and trailing dot. */
  readonly matchHost: string;
  /** Normalised, without query. */
  readonly matchPath: string;
  /** Empty, or begins with the question mark. */
  readonly query: string;
  /** Flat list of names (in any case) and values. */
  readonly headers: readonly string[];
  /** Host and port as the client sent them, in any protocol; empty if it sent none. */
  readonly authority: string;
}

export type RouteAction =
  | {
      readonly kind: 'forward';
      readonly targets: readonly { readonly cluster: string; readonly weight: number }[];
    }
  | { readonly kind: 'redirect'; readonly status: number; readonly to: string }
  | {
      readonly kind: 'respond';
      readonly status: number;
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly body: string;
    };

/** Changes to the target, in this order: replacePath, or stripPrefix, regex, addPrefix; then host. */
export interface RewriteSettings {
  readonly replacePath: string | null;
  readonly stripPrefix: string | null;
  readonly regex: { readonly pattern: string; readonly with: string } | null;
  readonly addPrefix: string | null;
  readonly host: string | null;
}

/** The limits of a route on one listener: the combination of the settings of both. */
export interface RouteLimits {
  readonly requestMs: number | null;
  readonly bodyIdleMs: number | null;
  readonly bodyBytesMax: number | null;
  /** Minimum rate of a request body while the proxy waits for the client; null: any rate. */
  readonly uploadBytesPerSecondMin: number | null;
  /** Minimum rate at which a client reads a response; null: any rate. */
  readonly downloadBytesPerSecondMin: number | null;
  /** How far a client may fall behind these rates. */
  readonly rateGraceMs: number;
}

export interface RouteSettings {
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  readonly rewrite: RewriteSettings;
  readonly headers: { readonly request: HeaderEdits; readonly response: HeaderEdits };
  /** One entry for each listener that serves the route, by name. */
  readonly listeners: Readonly<Record<string, RouteLimits>>;
  readonly responseHeadMs: number | null;
  readonly responseIdleMs: number | null;
  readonly tunnelIdleMs: number | null;
  readonly retries: RetrySettings;
  readonly rateLimits: readonly RateLimitSettings[];
  /** CIDR networks. `deny` takes precedence; an empty `allow` allows everyone else. */
  readonly access: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  /** Null: the route serves. */
  readonly maintenance: MaintenanceSettings | null;
  /** Null: no login is required. */
  readonly basicAuth: BasicAuthSettings | null;
}
