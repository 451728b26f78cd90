/** What a backend is sent for one request: the same for every attempt, except for what belongs to one attempt alone. */
import type { UpstreamRequest } from '../net/upstream.ts';
import { formatTraceparent, withTraceparent } from '../observability/trace_context.ts';
import { rewriteTarget } from '../routing/rewrite.ts';
import { buildUpstreamHeaders, DEADLINE_FIELD } from '../security/headers.ts';
import type { RequestHead } from '../security/request_head.ts';
import type { RequestBody } from './body_relay.ts';
import type { BoundRoute } from './data_plane.ts';
import type { RequestContext } from './request.ts';

export class UpstreamRequestBuilder {
  readonly #context: RequestContext;
  readonly #body: RequestBody | null;
  readonly #common: UpstreamRequest;

  /** `body` is null for a request without a body. */
  constructor(context: RequestContext, route: BoundRoute, head: RequestHead, body: RequestBody | null) {
    this.#context = context;
    this.#body = body;
    const headers = buildUpstreamHeaders(head, context, route.requestEdits);
    const { begunTraceparent } = context;
    this.#common = {
      method: head.method,
      target: route.rewrite === null ? head.target : rewriteTarget(route.rewrite, head.target),
      authority: route.settings.rewrite.host ?? head.authority,
      headers: begunTraceparent === null ? headers : withTraceparent(headers, begunTraceparent, true),
      body: null,
    };
  }

  /**
   * The request of one attempt. `fresh` asks for a connection that has served no other request. Opens the body, so call it
   * once per attempt; sets `spanId` of the attempt where a trace is recorded.
   */
  build(attempt: { spanId: string | null }, fresh: boolean): UpstreamRequest {
    const { deadlineAtMs, services, trace } = this.#context;
    const isPlain = deadlineAtMs === null && trace === null && !fresh;
    if (this.#body === null && isPlain) return this.#common; // the fast path allocates nothing
    const body = this.#body === null ? null : this.#body.open();
    const request = { ...this.#common, body, fresh };
    if (isPlain) return request;
    let { headers } = request;
    if (trace !== null) {
      attempt.spanId = services.random.hex(8);
      const traceparent = formatTraceparent(trace.traceId, attempt.spanId, trace.sampled);
      headers = withTraceparent(headers, traceparent, trace.parentId === null);
    }
    if (deadlineAtMs === null) return { ...request, headers };
    const leftMs = Math.max(0, Math.floor(deadlineAtMs - services.clock.nowMs()));
    return { ...request, headers: [...headers, DEADLINE_FIELD, String(leftMs)] };
  }
}
