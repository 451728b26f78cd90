/** The context of one request: who asks for what, on which plan; and the services that all requests share. */
import type { TlsFacts } from '../net/connection.ts';
import type { DecisionFacts } from '../observability/decision_ring.ts';
import type { AskedLimit, FiredTimeout } from '../observability/events.ts';
import type { Telemetry } from '../observability/telemetry.ts';
import type { TraceContext } from '../observability/trace_context.ts';
import type { BufferAccount } from '../resilience/buffer_account.ts';
import type { Clock } from '../resilience/clock.ts';
import type { Failure } from '../resilience/failure.ts';
import type { Overload } from '../resilience/overload.ts';
import type { Random } from '../resilience/random.ts';
import { type ClientSource, NO_CLAIM, type PeerClaim } from '../security/client_address.ts';
import type { ForwardingFacts } from '../security/forwarding.ts';
import type { LimitOutcome } from '../security/rate_limit_fields.ts';
import type { RawRequest, RequestHead } from '../security/request_head.ts';
import type { ActiveRequests } from './active_requests.ts';
import type { BoundCluster, BoundListener, BoundRoute, DataPlane, PlaneRef } from './data_plane.ts';
import type { WatchedRequest } from './slow_clients.ts';
import { type NamedTimeout, settingOf } from './timeout_settings.ts';
import type { TunnelsPerClient } from './tunnels_per_client.ts';

/** A request that has not ended, as the rest of the process sees it (`responder.ts`). */
export interface OpenRequest extends WatchedRequest {
  readonly peer: Peer;
  /** Name of its route; null: none has matched yet. */
  readonly route: string | null;
  /** Ends the request with a failure; only the first failure counts. */
  fail(failure: Failure): void;
  onClientClose(complete: boolean): void;
}

/** Counts what is in progress in the process, whatever plan it runs on. */
export interface Traffic {
  /** Requests and tunnels that have not ended. */
  readonly active: ActiveRequests<OpenRequest>;
  tunnels: number;
  readonly tunnelsPerClient: TunnelsPerClient;
  /** Bytes of bodies and tunnels that wait in memory. */
  readonly buffers: BufferAccount;
  /** Requests that have ended since the start, and how many of them failed (`isFailure`). */
  finished: number;
  failed: number;
  /** Responses close their connection from now on. */
  draining: boolean;
  /** Called when the last request or tunnel has ended. */
  onIdle: () => void;
}

/** Services shared by all requests. */
export interface Services {
  readonly planeRef: PlaneRef;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly traffic: Traffic;
  /** Identifies this process in `Via`, to detect a loop. */
  readonly instanceId: string;
  /** Decides whether a new request is accepted at all. */
  readonly overload: Overload;
  /** Whether `healthPath` answers 200. */
  readonly isReady: () => boolean;
}

/** The client connection of a request, as far as it matters to the request. */
export interface Peer {
  /** Whose connection it is: by the PROXY protocol where that is required, else by the socket. */
  readonly ip: string;
  /** By the socket. */
  readonly socketIp: string;
  /** Null: the connection is not encrypted. */
  readonly tls: TlsFacts | null;
  /** The port that the client came to: of the load balancer, with the PROXY protocol. */
  readonly localPort: number;
  /** Number of requests in flight on this connection. */
  readonly active: number;
  /**
   * Roughly the bytes of responses that the client has read, where streams share the connection (HTTP/2): bytes sent, less the
   * bytes received that belong to no body. So replies to pings and settings do not count. Otherwise 0 (HTTP/1.1).
   */
  readonly takenBytes: number;
  /** Counts bytes of a request body. */
  noteBodyBytes(bytes: number): void;
  /** Whether most of what the client sends is framing. `bufferedBytes` of a body were received and are not counted yet. */
  isWasteful(bufferedBytes: number, nowMs: number): boolean;
  /** Overhead in memory of body bytes that wait to be read, because they may be in pieces of one byte. */
  crumbCost(unreadBytes: number): number;
  /** The connection is being cut because of what the client sent. */
  noteCut(): void;
  destroy(): void;
  onRequestEnd(): void;
  onTunnel(): void;
}

/** A larger head is not kept for a decision record. */
const KEPT_HEAD_CHARACTERS_MAX = 8_192;

/**
 * The context of one request while it is routed and admitted. Only `handle_request.ts` (synchronously), `admission.ts` and
 * `rate_limits.ts` write it; everything that works on the request afterwards sees it as the read-only `RequestContext`.
 */
export class RoutingContext implements ForwardingFacts {
  readonly services: Services;
  readonly plane: DataPlane;
  readonly bound: BoundListener;
  readonly peer: Peer;
  /** The raw request: a head that was refused has fields too. */
  readonly raw: RawRequest;
  readonly startedAtMs: number;
  /** Generated here, until the id of a trusted peer replaces it. */
  requestId: string;
  /** Null until it is read, or if it was refused. */
  head: RequestHead | null = null;
  clientIp: string;
  /** The peer is a trusted proxy: its forwarding fields are used. */
  peerTrusted = false;
  /** Where the address of the client comes from. */
  clientSource: ClientSource = 'connection';
  claim: PeerClaim = NO_CLAIM;
  /** When a trusted peer gives up, in monotonic milliseconds; null: it has set no deadline. */
  deadlineAtMs: number | null = null;
  traceId: string | null = null;
  /** Null: no trace is recorded here. */
  trace: TraceContext | null = null;
  /** `traceparent` of a trace that starts here and is recorded by others. */
  begunTraceparent: string | null = null;
  /** A client that may ask for the decision record has asked for it. */
  explainWanted = false;
  /** Null: the route has no rate limits, or they were not reached. */
  limitsAsked: readonly AskedLimit[] | null = null;
  /** What the limits that have answered so far said. */
  limitOutcomes: readonly LimitOutcome[] | null = null;
  /** `RateLimit` fields for the response, as a flat list; null: none. */
  rateLimitFields: readonly string[] | null = null;
  /** Name of the user who has logged in. */
  user: string | null = null;
  /** Time from the start of the request until shared limits and password were checked. */
  admissionMs = 0;
  /** Null: no route has matched. */
  route: BoundRoute | null = null;
  /** Key of its tunnel in `TunnelsPerClient`; null: it asks for no tunnel, or was not admitted. */
  tunnelKey: string | null = null;
  /** Null: the request is not forwarded. */
  cluster: BoundCluster | null = null;

  /** Reads `planeRef.current.plane` once; the request stays on that plan to its end. */
  constructor(services: Services, bound: BoundListener, peer: Peer, raw: RawRequest) {
    this.services = services;
    this.plane = services.planeRef.current.plane;
    this.bound = bound;
    this.peer = peer;
    this.raw = raw;
    this.startedAtMs = services.clock.nowMs();
    this.requestId = services.random.requestId();
    this.clientIp = peer.ip;
  }

  /** What backends are told of the connection: not the socket's address where the PROXY protocol names another. */
  get peerIp(): string {
    return this.peer.ip;
  }
  get protocol(): RawRequest['protocol'] {
    return this.raw.protocol;
  }
  get tls(): string | null {
    return this.peer.tls === null ? null : this.peer.tls.version;
  }
  /** Host and port as the client sent them; empty if the head was refused. */
  get host(): string {
    return this.head === null ? '' : this.head.authority;
  }

  /** A timeout that was reached after `ms`, with the line of the configuration that set it. */
  firedTimeout(name: NamedTimeout, ms: number): FiredTimeout {
    const setting = settingOf(name, {
      listener: this.bound.settings.name,
      route: this.route?.settings.name ?? null,
      cluster: this.cluster?.name ?? null,
    });
    return { name, ms: Math.round(ms * 100) / 100, origin: this.plane.origins.get(setting) };
  }

  decisionFacts(): DecisionFacts {
    const { head } = this;
    return {
      peerTrusted: this.peerTrusted,
      clientSource: this.clientSource,
      connectionIp: this.peer.ip,
      policy: this.cluster?.policy ?? null,
      rateLimits: this.limitsAsked ?? [],
      head: head !== null && sizeOf(head) <= KEPT_HEAD_CHARACTERS_MAX ? head : null,
    };
  }
}

/** The context of a request, read-only. */
export type RequestContext = Readonly<RoutingContext>;

function sizeOf({ target, headers }: RequestHead): number {
  return headers.reduce((sum, text) => sum + text.length, target.length);
}
