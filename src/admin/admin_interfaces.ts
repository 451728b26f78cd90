/**
 * Interfaces between the admin API and the process: what the API shows (`AdminView`) and what it can do
 * (`AdminActions`).
 */
import type { DrainView } from '../lifecycle/drain_progress.ts';
import type { Readiness } from '../lifecycle/readiness.ts';
import type { ReloadResult } from '../lifecycle/reload.ts';
import type { Address } from '../net/address.ts';
import type { LogLevel } from '../observability/logging.ts';
import type { Explained } from './explanation.ts';
import type { ShadowResult } from './shadow_check.ts';
import type { RenderedPage } from './status_stream.ts';

export type AdminAddress = Exclude<Address, { readonly kind: 'fd' }>;

/** A string says why the action failed. */
export type ActionResult = { readonly done: string; readonly warning?: string } | string;

interface AuditEntry {
  readonly action: string;
  readonly by: string;
  readonly userAgent: string | null;
  readonly result: string;
}

/** What the admin API shows. Reading changes nothing. */
export interface AdminView {
  readiness(): Readiness;
  /** The requests in flight, and the time they have left. */
  drainView(): DrainView;
  /** The metrics in the format that `Accept` asks for. */
  metrics(accept: string): Promise<{ readonly contentType: string; readonly text: string }>;
  status(): object;
  /** The status page as it is now. */
  page(): RenderedPage;
  /** The running plan with its secrets masked. */
  plan(): object;
  explain(question: Readonly<Record<string, unknown>>): Explained;
  /** Decision records, newest first. */
  requests(query: Readonly<Record<string, unknown>>): readonly object[];
  /** One decision record; null if it is not kept. */
  request(id: string): object | null;
  /** The decision record as a page, or one that says that it is not kept; `nonce` allows its style. */
  recordPage(id: string, nonce: string): string;
}

export interface AdminActions {
  reload(): Promise<ReloadResult>;
  /** Null: to the plan before the running one. */
  rollback(digest: string | null): Promise<ReloadResult>;
  drain(): void;
  setLogLevel(level: LogLevel, forMs: number): ActionResult;
  /** Where recent requests would go with the routes of `next`; a string says why that cannot be told. */
  shadowCheck(next: unknown): Promise<ShadowResult | string>;
  setEndpoint(cluster: string, endpoint: string, action: 'drain' | 'ready'): ActionResult;
  /** A question to a person who drains the endpoint; null: there is nothing to ask. */
  drainQuestion(cluster: string, endpoint: string): string | null;
  /** Called for each action, also a refused one. */
  audit(entry: AuditEntry): void;
}
