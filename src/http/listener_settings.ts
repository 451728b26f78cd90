/** Settings of a listener, from the plan. */
import type { SocketListenerSettings } from '../net/listener.ts';
import type { RouteLimits } from '../routing/route.ts';
import type { AccessSettings } from '../security/access.ts';
import type { HeaderRules } from '../security/fields.ts';
import type { PathRules } from '../security/path.ts';
import type { HeadLimits } from '../security/request_head.ts';

interface Http2Settings {
  /** SETTINGS_MAX_CONCURRENT_STREAMS; Node's own default is 2^32 - 1. */
  readonly streamsMax: number;
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
}

/** Everything that one listener does with a connection and with a request before a route is known. */
export interface ListenerSettings extends SocketListenerSettings {
  readonly trustedProxies: readonly string[];
  /** Addresses that a trusted proxy writes at the end of `X-Forwarded-For`: at least 1. */
  readonly trustedHops: number;
  /** Forwarding fields that trusted proxies write, in lower case; null: all. */
  readonly trustedHeaders: readonly string[] | null;
  readonly access: AccessSettings;
  readonly healthPath: string | null;
  readonly paths: PathRules;
  readonly headers: HeaderRules;
  readonly head: HeadLimits;
  /** WebSocket tunnels and handshakes of one client address; null: no limit. */
  readonly tunnelsPerIpMax: number | null;
  /** Requests on one connection before it is closed; null: no limit. */
  readonly requestsMax: number | null;
  readonly keepAliveIdleMs: number;
  readonly http2Settings: Http2Settings;
  /** Limits for requests that match no route, or whose route is not known yet. */
  readonly limits: RouteLimits;
}
