/** What the admin API shows (`AdminView`) and sets in motion (`AdminActions`); the process implements both. */
import type { DrainView } from '../lifecycle/drain_progress.ts';
import type { Readiness } from '../lifecycle/readiness.ts';
import type { ReloadResult } from '../lifecycle/reload.ts';
import type { Address } from '../net/endpoint.ts';
import type { LogLevel } from '../observability/logging.ts';
import type { Explained } from './explain.ts';

export type AdminAddress = Exclude<Address, { readonly kind: 'fd' }>;

/** A string says why it could not be done. */
export type ActionResult = { readonly done: string; readonly warning?: string } | string;

interface AuditEntry {
  readonly action: string;
  readonly by: string;
  readonly userAgent: string | null;
  readonly result: string;
}

/** What the admin API shows. Reading it changes nothing. */
export interface AdminView {
  readiness(): Readiness;
  /** What is in flight, and how long it may still take. */
  drainView(): DrainView;
  /** The metrics, in the format that the `Accept` field asks for. */
  metrics(accept: string): Promise<{ readonly contentType: string; readonly text: string }>;
  status(): object;
  /** The status page; `nonce` lets its style and script run. */
  page(nonce: string): string;
  /** The part of it that changes. */
  livePart(): string;
  /** The running plan with its secrets masked. */
  plan(): object;
  explain(question: Readonly<Record<string, unknown>>): Explained;
  /** Decision records, newest first. */
  requests(query: Readonly<Record<string, unknown>>): readonly object[];
  /** One of them, or null when it is not kept. */
  request(id: string): object | null;
  /** The same decision record as text; null if it is not kept. */
  requestText(id: string): string | null;
}

export interface AdminActions {
  reload(): Promise<ReloadResult>;
  /** Null: to the plan before the running one. */
  rollback(digest: string | null): Promise<ReloadResult>;
  drain(): void;
  setLogLevel(level: LogLevel, forMs: number): ActionResult;
  setEndpoint(cluster: string, endpoint: string, action: 'drain' | 'ready'): ActionResult;
  /** Each call that changes something, or tries to. */
  audit(entry: AuditEntry): void;
}
