/**
 * The response that the proxy itself makes when a request fails: status, `Proxy-Status` (RFC 9209) and a body in the form
 * that the client accepts (RFC 9457 problem details, HTML or plain text). It contains the reason and the request id, and
 * never an address, a path of the machine or a stack.
 */
import { FAILURE_RULES, type Failure, GRPC_STATUS, proxyStatusOf } from '../resilience/failure.ts';
import { basicChallenge } from '../security/basic_auth.ts';
import type { HeaderList } from '../security/headers.ts';

interface FailureResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: string;
}

/**
 * An identifier, not a location (RFC 9457 section 3.1.1 allows any URI), so that it is the same wherever Fairlead
 * runs. What follows the `#` is the anchor in docs/reasons.md.
 */
const TYPE_URI_PREFIX = 'urn:fairlead:docs/reasons.md#';

/** `Retry-After` of a 503 where nothing tells how long the condition lasts. */
const RETRY_AFTER_DEFAULT_MS = 1_000;

export function failureResponse(failure: Failure, requestId: string, accept: string | null): FailureResponse {
  const rule = FAILURE_RULES[failure.kind];
  const status = failure.kind === 'maintenance' ? failure.status : rule.status;
  const [contentType, body] = renderBody(failure, status, requestId, accept ?? '');
  const headers = ['Proxy-Status', `fairlead; error=${proxyStatusOf(failure) ?? 'proxy_internal_error'}`];
  const retryAfter = retryAfterSeconds(failure, status);
  if (retryAfter !== null) headers.push('Retry-After', retryAfter);
  if (failure.kind === 'auth_required') headers.push('WWW-Authenticate', basicChallenge(failure.realm));
  headers.push('Cache-Control', 'no-store', 'X-Request-Id', requestId);
  headers.push('Content-Type', contentType, 'Content-Length', String(Buffer.byteLength(body)));
  return { status, headers, body };
}

/**
 * The failure for a gRPC client, which reads only `grpc-status`: a head without a body (gRPC over HTTP/2,
 * "Trailers-Only"). Proxy-Status is sent too, for people who look at the response.
 */
export function grpcFailureResponse(failure: Failure, requestId: string): FailureResponse {
  const message = `${failure.kind}: ${failureDetail(failure)} (request ${requestId})`;
  const headers = ['Proxy-Status', `fairlead; error=${proxyStatusOf(failure) ?? 'proxy_internal_error'}`];
  headers.push('X-Request-Id', requestId, 'Content-Type', 'application/grpc');
  headers.push('Grpc-Status', String(GRPC_STATUS[failure.kind]), 'Grpc-Message', percentEncoded(message));
  return { status: 200, headers, body: '' };
}

/** gRPC over HTTP/2, "Percent-Encoded": everything except printable ASCII, and the percent sign itself. */
function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/%(?:2[0-46-9A-F]|3[A-F]|40|5B|5C|5D|5E|60|7B|7C|7D)/gi, code =>
    decodeURIComponent(code),
  );
}

/** What a client may know about this occurrence, beyond the title. */
function failureDetail(failure: Failure): string {
  switch (failure.kind) {
    case 'bad_request':
    case 'bad_response':
      return failure.detail;
    case 'body_too_large':
    case 'uri_too_long':
      return `The limit is ${failure.limitBytes} bytes.`;
    case 'head_too_large':
      return `The limit is ${failure.limit} ${failure.unit}.`;
    case 'client_timeout':
    case 'connect_timeout':
    case 'queue_timeout':
    case 'per_try_timeout':
    case 'response_head_timeout':
    case 'response_idle_timeout':
    case 'request_timeout':
      return `Waited for ${Math.round(failure.afterMs)} ms.`;
    default:
      return FAILURE_RULES[failure.kind].title;
  }
}

/** RFC 9110 section 10.2.3: whole seconds, rounded up, so that clients do not come back too early. */
function retryAfterSeconds(failure: Failure, status: number): string | null {
  if (status !== 503 && status !== 429 && failure.kind !== 'maintenance') return null;
  const waitMs = 'retryAfterMs' in failure ? failure.retryAfterMs : RETRY_AFTER_DEFAULT_MS;
  return String(Math.max(1, Math.ceil(waitMs / 1_000)));
}

function renderBody(
  failure: Failure,
  status: number,
  requestId: string,
  accept: string,
): [contentType: string, body: string] {
  if (failure.kind === 'maintenance' && failure.page !== null)
    return [failure.page.contentType, failure.page.body];
  const { title } = FAILURE_RULES[failure.kind];
  const detail = failureDetail(failure);
  switch (preferredForm(accept)) {
    case 'json':
      return [
        'application/problem+json',
        `${JSON.stringify({ type: TYPE_URI_PREFIX + failure.kind, title, status, detail, instance: requestId, reason: failure.kind })}\n`,
      ];
    case 'html':
      return ['text/html; charset=utf-8', renderHtml(status, title, detail, failure.kind, requestId)];
    case 'text':
      return [
        'text/plain; charset=utf-8',
        `${status} ${title}\n${detail === title ? '' : `${detail}\n`}reason: ${failure.kind}\nrequest id: ${requestId}\n`,
      ];
  }
}

/** The first of the three forms that `Accept` names. Quality values are ignored: they do not matter for error pages. */
function preferredForm(accept: string): 'json' | 'html' | 'text' {
  const json = accept.search(/json/i);
  const html = accept.search(/html/i);
  if (html >= 0 && (json < 0 || html < json)) return 'html';
  return json >= 0 ? 'json' : 'text';
}

function renderHtml(
  status: number,
  title: string,
  detail: string,
  reason: string,
  requestId: string,
): string {
  return (
    `<!doctype html><meta charset="utf-8"><title>${status} ${escapeHtml(title)}</title>` +
    `<h1>${status} ${escapeHtml(title)}</h1>${detail === title ? '' : `<p>${escapeHtml(detail)}</p>`}` +
    `<p>reason: <code>${reason}</code><br>request id: <code>${escapeHtml(requestId)}</code></p>\n`
  );
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}
