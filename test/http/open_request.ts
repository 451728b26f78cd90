/** One request on a client that notes what it is told, for tests of whoever answers it: no socket, no plan. */
import { PlanOrigins } from '../../src/config/plan_origins.ts';
import { ActiveRequests } from '../../src/http/active_requests.ts';
import type { ClientStream, ClientStreamObserver } from '../../src/http/client/stream.ts';
import type { BoundListener, BoundRoute, DataPlane } from '../../src/http/data_plane.ts';
import { type OpenRequest, RoutingContext, type Services } from '../../src/http/request.ts';
import { Responder } from '../../src/http/responder.ts';
import { TunnelsPerClient } from '../../src/http/tunnels_per_client.ts';
import type { DecisionFacts } from '../../src/observability/decision_ring.ts';
import type { Event, RequestRecord } from '../../src/observability/events.ts';
import { BufferAccount } from '../../src/resilience/buffer_account.ts';
import type { RawRequest, RequestHead } from '../../src/security/request_head.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';

export const BODY_IDLE_MS = 5_000;
export const RATE_GRACE_MS = 9_000;

const LIMITS = {
  bodyIdleMs: BODY_IDLE_MS,
  uploadBytesPerSecondMin: 100,
  downloadBytesPerSecondMin: 100,
  rateGraceMs: RATE_GRACE_MS,
};

/** Said to the client, in order; `sent` is what it has of the response. */
export class NotedClient {
  readonly said: string[] = [];
  headSent = false;
  readonly isQueued = false;
  readonly connectionBytes = 0;
  unsentBytes = 0;
  heldBytes = 0;
  unreadBytes = 0;
  bodyReceived = true;
  readonly isLast = false;
  headers: readonly string[] = [];
  body = '';
  /** Thrown by the next response that is made here. */
  refusal: Error | null = null;
  onAnswer: () => void = () => {};
  #listener: ClientStreamObserver | null = null;

  observe(listener: ClientStreamObserver): void {
    this.#listener = listener;
  }
  close(complete: boolean): void {
    this.#listener?.onClientClose(complete);
  }
  respond(status: number, headers: readonly string[], body: string): void {
    if (this.refusal !== null) throw this.refusal;
    this.headSent = true;
    this.headers = headers;
    this.body = body;
    this.said.push(`answer ${status}`);
    this.onAnswer();
  }
  writeHead(status: number, _text: string, headers: readonly string[]): void {
    this.headSent = true;
    this.headers = headers;
    this.said.push(`head ${status}`);
  }
  writeInformation(status: number): void {
    this.said.push(`interim ${status}`);
  }
  write(chunk: Buffer): boolean {
    this.said.push(`write ${chunk.length}`);
    return true;
  }
  end(trailers: readonly string[] | null): void {
    this.said.push(trailers === null ? 'end' : `end ${trailers.join(' ')}`);
  }
  abort(): void {
    this.said.push('abort');
  }
  destroy(): void {
    this.said.push('destroy');
  }
  closeAfterResponse(): void {
    this.said.push('last');
  }
  distrustConnection(): void {
    this.said.push('distrust');
  }
  takeSocket(): null {
    this.said.push('socket taken');
    return null;
  }
}

/** As the request line and fields came; `head`, `route` and whatever routing writes is for the test to set. */
export function openRequest(raw: Partial<RawRequest> = {}) {
  const clock = new FakeClock();
  const client = new NotedClient();
  const records: RequestRecord[] = [];
  const facts: DecisionFacts[] = [];
  const events: Event[] = [];
  let endsOnConnection = 0;
  let idle = 0;
  const plane = {
    digest: 'plan 1',
    origins: new PlanOrigins(
      new Map([
        ['listeners.main.limits.bodyIdleMs', 'fairlead.yaml:4:7'],
        ['routes.all.tunnelIdleMs', 'fairlead.yaml:9:5'],
      ]),
    ),
  } as unknown as DataPlane;
  const traffic = {
    active: new ActiveRequests<OpenRequest>(),
    tunnels: 0,
    tunnelsPerClient: new TunnelsPerClient(),
    buffers: new BufferAccount(null),
    finished: 0,
    failed: 0,
    draining: false,
    onIdle: () => idle++,
  };
  const planeRef = { current: { plane } };
  const services = {
    planeRef,
    clock,
    random: seededRandom(1),
    traffic,
    telemetry: {
      emit: (event: Event) => events.push(event),
      requestFinished(record: RequestRecord, _route: null, _cluster: null, whole: RoutingContext) {
        records.push(record);
        facts.push(whole.decisionFacts());
      },
      shed: () => {},
      withoutSecrets: (url: string) => url.replace(/token=\w+/, 'token=[redacted]'),
    },
  } as unknown as Services;
  const bound = {
    settings: { name: 'main', limits: LIMITS },
    handles: null,
  } as unknown as BoundListener;
  const peer = {
    ip: '192.0.2.1',
    socketIp: '192.0.2.1',
    tls: null,
    localPort: 80,
    active: 1,
    onRequestEnd: () => endsOnConnection++,
    onTunnel() {},
    takenBytes: 0,
    noteBodyBytes() {},
    isWasteful: () => false,
    crumbCost: () => 0,
    noteCut() {},
    destroy() {},
  };
  const context = new RoutingContext(services, bound, peer, {
    method: 'GET',
    target: '/a?token=1',
    headers: [],
    protocol: 'HTTP/1.1',
    authority: null,
    endOfStream: false,
    ...raw,
  });
  const responder = new Responder(context, client as unknown as ClientStream);
  return {
    clock,
    client,
    planeRef,
    traffic,
    context,
    responder,
    records,
    facts,
    events,
    ends: () => ({ onConnection: endsOnConnection, idle }),
  };
}

export function routeNamed(name: string): BoundRoute {
  return { settings: { name }, limits: LIMITS, handles: null } as unknown as BoundRoute;
}

export function headOf(head: Partial<Record<keyof RequestHead, unknown>>): RequestHead {
  return { target: '/', authority: 'a.test', headers: [], accept: null, ...head } as unknown as RequestHead;
}
