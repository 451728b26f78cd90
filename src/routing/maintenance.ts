/** Maintenance of a route: the proxy answers in place of the backends. */
import type { Failure } from '../resilience/failure.ts';
import { buildNetworkSet } from '../security/client_address.ts';

export interface MaintenanceSettings {
  readonly status: number; // 400 to 599
  readonly retryAfterMs: number;
  /** Id of its body among the pages of the plan; null: a body like that of other failures. */
  readonly page: string | null;
  /** CIDR networks of clients that are served as usual. */
  readonly allow: readonly string[];
}

/** A body that is sent as it is. */
export interface Page {
  readonly contentType: string;
  readonly body: string;
}

/** Pages by their id, so that ten thousand routes share one. */
export type Pages = Readonly<Record<string, Page>>;

export interface Maintenance {
  /** How this client is answered; null: it is served as usual. `origin`: the line that has switched the maintenance on. */
  refusal(clientIp: string, origin: () => string): Failure | null;
}

export function buildMaintenance(settings: MaintenanceSettings, pages: Pages): Maintenance {
  const { status, retryAfterMs } = settings;
  const allow = buildNetworkSet(settings.allow);
  const page = settings.page === null ? null : (pages[settings.page] ?? null);
  return {
    refusal: (clientIp, origin) =>
      allow.contains(clientIp) ? null : { kind: 'maintenance', status, retryAfterMs, page, origin: origin() },
  };
}
