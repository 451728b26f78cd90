/** One request: who asks for what, on which plan; and what all requests share. */
import type { DecisionFacts } from '../observability/decision_ring.ts';
import type { AskedLimit, FiredTimeout } from '../observability/events.ts';
import type { Telemetry } from '../observability/telemetry.ts';
import type { TraceContext } from '../observability/trace_context.ts';
import type { BufferAccount } from '../resilience/buffer_account.ts';
import type { Clock } from '../resilience/clock.ts';
import type { Failure } from '../resilience/failure.ts';
import type { Overload } from '../resilience/overload.ts';
import type { Random } from '../resilience/random.ts';
import type { ForwardingFacts } from '../security/forwarding.ts';
import type { RawRequest, RequestHead } from '../security/request_head.ts';
import type { ActiveRequests } from './active_requests.ts';
import type { BoundCluster, BoundListener, BoundRoute, DataPlane, PlaneRef } from './data_plane.ts';
import type { WatchedRequest } from './slow_clients.ts';
import { type NamedTimeout, settingOf } from './timeout_settings.ts';
import type { TunnelsPerClient } from './tunnels_per_client.ts';

/** A request whose end is still to come, as the rest of the process sees it (`responder.ts`). */
export interface OpenRequest extends WatchedRequest {
  readonly peer: Peer;
  /** Ends it with a failure; the first one stays. */
  fail(failure: Failure): void;
  onClientClose(complete: boolean): void;
}

/** What is under way in the process, whatever plan it runs on. */
export interface Traffic {
  /** Requests and tunnels whose end is still to come. */
  readonly active: ActiveRequests<OpenRequest>;
  tunnels: number;
  readonly tunnelsPerClient: TunnelsPerClient;
  /** Bytes of bodies and tunnels that wait here. */
  readonly buffers: BufferAccount;
  /** Requests that have ended since the start, and those of them that failed (`isFailure`). */
  finished: number;
  failed: number;
  /** Answers close their connection from now on. */
  draining: boolean;
  /** The last request or tunnel has ended. */
  onIdle: () => void;
}

/** What all requests share. */
export interface Services {
  readonly planeRef: PlaneRef;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly traffic: Traffic;
  /** Marks this process in `Via`, to recognise a request that comes back. */
  readonly instanceId: string;
  /** Whether a new request may be taken at all. */
  readonly overload: Overload;
  /** What `healthPath` answers. */
  readonly isReady: () => boolean;
}

/** The connection that a request came on, as far as it matters to the request. */
export interface Peer {
  readonly ip: string;
  readonly tlsVersion: string | null;
  readonly localPort: number;
  /** Requests under way on this connection. */
  readonly active: number;
  /**
   * Bytes of responses that it has taken, where streams share it (HTTP/2), roughly: what has gone out, less what has come in and
   * was no body. So answers to pings and settings are none. 0 where each response is counted by itself (HTTP/1.1).
   */
  readonly takenBytes: number;
  /** Of a request body. */
  noteBodyBytes(bytes: number): void;
  /** The bodies come in so many small pieces that most of what it sends is framing. `bufferedBytes` of a body are here and not noted yet. */
  isWasteful(bufferedBytes: number, nowMs: number): boolean;
  /** What the bytes of a body that wait to be read cost beside themselves: they may be in pieces of one byte. */
  crumbCost(unreadBytes: number): number;
  destroy(): void;
  onRequestEnd(): void;
  onTunnel(): void;
}

/** A larger head is not kept for a decision record. */
const KEPT_HEAD_CHARACTERS_MAX = 8_192;

/**
 * The context of one request while it is routed. Only `handle_request.ts` writes it, in one turn; whatever works on the
 * request from then on has it as `RequestContext`.
 */
export class RoutingContext implements ForwardingFacts {
  readonly services: Services;
  readonly plane: DataPlane;
  readonly bound: BoundListener;
  readonly peer: Peer;
  /** As it came: a head that was refused has fields too. */
  readonly raw: RawRequest;
  readonly startedAtMs: number;
  /** Ours, until that of a trusted peer takes its place. */
  requestId: string;
  /** Null: it was not read yet, or was refused. */
  head: RequestHead | null = null;
  clientIp: string;
  /** What the peer says of the client is believed. */
  peerTrusted = false;
  /** When a trusted peer gives up, in time of the monotonic clock; null: nobody has said. */
  deadlineAtMs: number | null = null;
  traceId: string | null = null;
  /** Null: no trace is recorded here. */
  trace: TraceContext | null = null;
  /** Of a trace that begins here and is recorded by others. */
  begunTraceparent: string | null = null;
  /** Somebody who may has asked for the decision record. */
  explainWanted = false;
  /** Null: the route has no rate limits, or none was asked. */
  limitsAsked: readonly AskedLimit[] | null = null;
  /** Null: none has matched. */
  route: BoundRoute | null = null;
  /** Of the WebSocket tunnel that it is to become, in `TunnelsPerClient`; null: it is none, or it has not been let in. */
  tunnelKey: string | null = null;
  /** Null: no backend is asked. */
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

  get peerIp(): string {
    return this.peer.ip;
  }
  get protocol(): RawRequest['protocol'] {
    return this.raw.protocol;
  }
  get tls(): string | null {
    return this.peer.tlsVersion;
  }
  /** As the client named it, with its port; empty where the head was refused. */
  get host(): string {
    return this.head === null ? '' : this.head.authority;
  }

  /** A timeout that was reached after `ms`, with the line that set it. */
  firedTimeout(name: NamedTimeout, ms: number): FiredTimeout {
    const setting = settingOf(name, {
      listener: this.bound.settings.name,
      route: this.route?.settings.name ?? null,
      cluster: this.cluster?.name ?? null,
    });
    return { name, ms: Math.round(ms * 100) / 100, origin: this.plane.origins.get(setting) ?? 'default' };
  }

  decisionFacts(): DecisionFacts {
    const { head } = this;
    return {
      peerTrusted: this.peerTrusted,
      policy: this.cluster?.policy ?? null,
      rateLimits: this.limitsAsked ?? [],
      head: head !== null && sizeOf(head) <= KEPT_HEAD_CHARACTERS_MAX ? head : null,
    };
  }
}

/** Who asks for what, on which plan: to read. */
export type RequestContext = Readonly<RoutingContext>;

function sizeOf({ target, headers }: RequestHead): number {
  return headers.reduce((sum, text) => sum + text.length, target.length);
}
