/** The path in the plan of each timeout of docs/timeouts.md. It leads to the line of the configuration that set it. */

export type NamedTimeout =
  | 'head'
  | 'bodyIdle'
  | 'minUploadRate'
  | 'minDownloadRate'
  | 'request'
  | 'queueTimeout'
  | 'connectTimeout'
  | 'perTry'
  | 'responseHead'
  | 'responseIdle'
  | 'tunnelIdle';

interface TimedRequest {
  readonly listener: string;
  /** Null: no route has matched yet. */
  readonly route: string | null;
  readonly cluster: string | null;
}

export function settingOf(name: NamedTimeout, { listener, route, cluster }: TimedRequest): string {
  const own = `routes.${route}`;
  switch (name) {
    case 'head':
      return `listeners.${listener}.headMs`;
    case 'bodyIdle':
      return route === null
        ? `listeners.${listener}.limits.bodyIdleMs`
        : `${own}.listeners.${listener}.bodyIdleMs`;
    case 'minUploadRate':
    case 'minDownloadRate': {
      const limit = name === 'minUploadRate' ? 'uploadBytesPerSecondMin' : 'downloadBytesPerSecondMin';
      return route === null
        ? `listeners.${listener}.limits.${limit}`
        : `${own}.listeners.${listener}.${limit}`;
    }
    case 'request':
      return `${own}.listeners.${listener}.requestMs`;
    case 'queueTimeout':
      return `clusters.${cluster}.pool.queueTimeoutMs`;
    case 'connectTimeout':
      return `clusters.${cluster}.pool.connectTimeoutMs`;
    case 'perTry':
      return `${own}.retries.perTryMs`;
    case 'responseHead':
    case 'responseIdle':
    case 'tunnelIdle':
      return `${own}.${name}Ms`;
  }
}
