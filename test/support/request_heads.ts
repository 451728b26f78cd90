/** Raw requests as Node's servers report them, with everything that a test does not care about filled in. */
import assert from 'node:assert/strict';
import { NO_CLAIM } from '../../src/security/client_address.ts';
import type { HeaderRules } from '../../src/security/fields.ts';
import type { ForwardingFacts } from '../../src/security/forwarding.ts';
import type { PathRules } from '../../src/security/path.ts';
import type { HeadLimits, RawRequest, RequestHead } from '../../src/security/request_head.ts';
import { parseRequestHead } from '../../src/security/request_head.ts';

export const HEAD_LIMITS: HeadLimits = {
  headBytesMax: 32 * 1024,
  headerCountMax: 100,
  uriBytesMax: 8 * 1024,
};
export const PATH_RULES: PathRules = {
  dotSegments: 'reject',
  encodedSlash: 'keep',
  slashes: 'keep',
  semicolons: 'keep',
};

/** So that a test sees all that comes through. */
export const HEADER_RULES: HeaderRules = { underscores: 'keep' };

/** `Name: value` lines as a flat list. */
export function fields(...lines: string[]): string[] {
  return lines.flatMap(line => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

/** `GET / HTTP/1.1` with `Host: a.example`, but for what is given. */
export function rawRequest(parts: Partial<RawRequest> = {}): RawRequest {
  return {
    method: 'GET',
    target: '/',
    headers: ['Host', 'a.example'],
    protocol: 'HTTP/1.1',
    authority: null,
    endOfStream: false,
    ...parts,
  };
}

/** `GET /` of HTTP/2 for `a.example`, without a body, but for what is given. */
export function rawHttp2Request(parts: Partial<RawRequest> = {}): RawRequest {
  return rawRequest({
    headers: [],
    protocol: 'HTTP/2.0',
    authority: 'a.example',
    endOfStream: true,
    ...parts,
  });
}

/** The head, or an assertion that says why there is none. */
export function acceptedHead(
  raw: RawRequest,
  rules = PATH_RULES,
  limits = HEAD_LIMITS,
  headerRules = HEADER_RULES,
): RequestHead {
  const head = parseRequestHead(raw, limits, rules, headerRules);
  assert(!('kind' in head), `refused: ${JSON.stringify(head)}`);
  return head;
}

/** The kind of the failure, or `accepted`. */
export function verdict(
  raw: RawRequest,
  rules = PATH_RULES,
  limits = HEAD_LIMITS,
  headerRules = HEADER_RULES,
): string {
  const head = parseRequestHead(raw, limits, rules, headerRules);
  return 'kind' in head ? head.kind : 'accepted';
}

/** A stranger over TLS on HTTP/1.1, but for what is given. */
export function forwardingFacts(parts: Partial<ForwardingFacts> = {}): ForwardingFacts {
  return {
    requestId: 'request-1',
    clientIp: '203.0.113.7',
    peerIp: '203.0.113.7',
    claim: NO_CLAIM,
    protocol: 'HTTP/1.1',
    tls: 'TLSv1.3',
    host: 'a.example',
    peer: { localPort: 8443, tls: null },
    services: { instanceId: 'c0ffee' },
    ...parts,
  };
}
