/** What the admin API shows (`AdminView`) and sets in motion (`AdminActions`); the process implements both. */

export type AdminAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export interface Readiness {
  readonly ready: boolean;
  /** Why not; empty when ready. */
  readonly reasons: readonly string[];
}

export interface Reloaded {
  readonly kind: 'applied' | 'unchanged' | 'rejected';
  readonly digest: string;
  readonly problems?: readonly string[];
}

/** A text is the reason why not. */
export type Done = { readonly done: string; readonly warning?: string } | string;

export interface AuditEntry {
  readonly action: string;
  readonly by: string;
  readonly userAgent: string | null;
  readonly result: string;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/** It changes nothing. */
export interface AdminView {
  readiness(): Readiness;
  /** In the format that `accept` asks for. */
  metrics(accept: string): Promise<{ readonly contentType: string; readonly text: string }>;
  status(): unknown;
  /** The status page; `nonce` lets its style and script run. */
  page(nonce: string): string;
  /** The part of it that changes. */
  livePart(): string;
  /** Secrets masked. */
  plan(): unknown;
  explain(question: Readonly<Record<string, unknown>>): unknown;
  /** Decision records, newest first. */
  requests(query: Readonly<Record<string, unknown>>): unknown;
  /** One of them, or null when it is not kept. */
  request(id: string): unknown;
  /** The same in words. */
  requestText(id: string): string | null;
}

export interface AdminActions {
  reload(): Promise<Reloaded>;
  /** Null: to the plan before the running one. */
  rollback(digest: string | null): Promise<Reloaded>;
  drain(): void;
  setLogLevel(level: LogLevel, forMs: number): Done;
  setEndpoint(cluster: string, endpoint: string, action: 'drain' | 'ready'): Done;
  /** Each call that changes something, or tries to. */
  audit(entry: AuditEntry): void;
}
