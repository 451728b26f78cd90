/**
 * The frozen plan: what the process does, with every default written out and every unit resolved.
 *
 * Plain data (structured-cloneable, survives JSON, no `undefined`); null means `off`. Each part is declared by the module
 * that uses it, and this file composes them. Lookup structures are built from the plan by `lifecycle/assemble`, never
 * stored in it.
 */
import type { ListenerSettings } from '../http/listener_settings.ts';
import type { ClusterSettings } from '../load_balancer/backend.ts';
import type { Address } from '../net/address.ts';
import type { LoggingSettings } from '../observability/logging.ts';
import type { OtlpSettings } from '../observability/otlp_exporter.ts';
import type { OverloadSettings } from '../resilience/overload.ts';
import type { Pages } from '../routing/maintenance.ts';
import type { RouteSettings } from '../routing/route.ts';
import type { LimitStoreSettings } from '../security/limit_store.ts';

/** Too many failures after a reload roll it back. */
export interface ProbationSettings {
  readonly windowMs: number;
  readonly failureRatioMax: number; // 0 to 1
  readonly requestsMin: number;
}

interface ProcessSettings {
  readonly drain: { readonly delayMs: number; readonly timeoutMs: number };
  readonly reload: {
    readonly watch: boolean;
    readonly historyMax: number;
    /** Null: a reload is never rolled back automatically. */
    readonly probation: ProbationSettings | null;
  };
  readonly overload: OverloadSettings;
  readonly connectionsMax: number;
  /** Limit for the sum over all requests; null: no limit. */
  readonly bufferedBytesMax: number | null;
}

export interface Plan {
  readonly version: 1;
  /** SHA-256 of the canonical form of everything else, hexadecimal. */
  readonly digest: string;
  readonly admin: {
    readonly address: Address | null;
    /** Required on every path except the probes; null: no token. Secret. */
    readonly token: string | null;
  };
  readonly process: ProcessSettings;
  readonly logging: LoggingSettings;
  /** Whether the W3C trace context is passed on. */
  readonly tracing: {
    readonly propagate: boolean;
    readonly start: boolean;
    readonly otlp: OtlpSettings | null;
  };
  /** Sorted by name. */
  readonly listeners: Readonly<Record<string, ListenerSettings>>;
  /** Most specific first, in the order of `routing/matcher`. */
  readonly routes: readonly RouteSettings[];
  /** Sorted by name. */
  readonly clusters: Readonly<Record<string, ClusterSettings>>;
  /** Bodies of maintenance, by the ids that routes name. */
  readonly pages: Pages;
  /** In the order of the names. */
  readonly stores: Readonly<Record<string, LimitStoreSettings>>;
}
