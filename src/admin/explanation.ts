/** What is known of a request that was not sent. Plain data: JSON for programs, text by `explain_text.ts`. */

import type { ClusterSettings } from '../load_balancer/backend.ts';
import type { Failure } from '../resilience/failure.ts';
import type { RouteSettings } from '../routing/route.ts';
import type { Elsewhere } from './elsewhere.ts';
import type { LimitInForce, ShownSetting } from './settings_in_force.ts';

/** The redirect that this request would get. */
interface LocatedRedirect {
  readonly kind: 'redirect';
  readonly status: number;
  readonly location: string;
}

/** `healthPath` of the listener: the proxy responds, before any route is asked. */
interface HealthCheck {
  readonly kind: 'health';
}

type ExplainedAction =
  | Exclude<RouteSettings['action'], { readonly kind: 'redirect' }>
  | LocatedRedirect
  | HealthCheck;

/** A cluster that the request could go to. */
export interface Target {
  readonly cluster: string;
  readonly weight: number;
  /** The first ten. */
  readonly endpoints: readonly string[];
  readonly endpointsTotal: number;
  readonly protocol: ClusterSettings['protocol'];
  readonly origin: string;
}

export interface Explanation {
  readonly listener: string;
  readonly listenerAddress: string;
  /** Other listeners that the URL fits as well; empty if its port or a name has decided. */
  readonly otherListeners: readonly string[];
  readonly request: {
    readonly method: string;
    readonly host: string;
    readonly path: string;
    readonly matchPath: string;
  };
  readonly client: {
    readonly ip: string;
    readonly peerTrusted: boolean;
    /** Where the client address comes from, in parentheses; empty if it is the peer itself. */
    readonly from: string;
  };
  readonly route: string | null;
  /** The lines of what was chosen; null: nothing was. */
  readonly origins: {
    readonly listener: string;
    readonly route: string | null;
    readonly action: string | null;
  };
  /** Why there is no route, or why the request would be refused. */
  readonly refused: {
    readonly reason: Failure['kind'];
    readonly status: number;
    readonly detail: string | null;
    /** The line that says so; absent where the detail names it. */
    readonly origin?: string;
  } | null;
  /** Null: no login is required. */
  readonly auth: { readonly scheme: 'basic'; readonly realm: string; readonly origin: string } | null;
  readonly nearer: readonly { readonly route: string; readonly reason: string }[];
  /** Null: a route matches, or the request was refused before routes were asked. */
  readonly elsewhere: Elsewhere | null;
  readonly action: ExplainedAction | null;
  readonly targets: readonly Target[];
  readonly upstream: {
    readonly target: string;
    readonly host: string;
    readonly headers: readonly string[];
  } | null;
  /** What will not work although a route matches, and what to change. */
  readonly hints: readonly string[];
  readonly limits: readonly LimitInForce[];
  /** Access, rewrites and headers: settings in force that are no numbers. */
  readonly settings: readonly ShownSetting[];
}

export type Explained = Explanation | { readonly error: string };
