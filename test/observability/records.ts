/** The record of a request for tests of logs and metrics: one attempt, answered 200, unless a test says otherwise. */
import type { AttemptRecord, RequestRecord } from '../../src/observability/events.ts';

export function attemptRecord(change: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    endpoint: '10.0.0.2:80',
    spanId: null,
    endpointLabel: change.endpoint ?? '10.0.0.2:80',
    startedAtMs: 101,
    connectMs: 2,
    firstByteMs: 8,
    endedAtMs: 111,
    status: 200,
    reason: null,
    detail: null,
    reused: false,
    ...change,
  };
}

export function requestRecord(change: Partial<RequestRecord> = {}): RequestRecord {
  return {
    requestId: '01a1fb72-9752-76aa-81e3-a102b51033e6',
    traceId: null,
    trace: null,
    listener: 'main',
    clientIp: '203.0.113.7',
    user: null,
    peerIp: '10.0.0.1',
    method: 'GET',
    host: 'a.test',
    path: '/a?b',
    referer: null,
    userAgent: null,
    protocol: 'HTTP/1.1',
    status: 200,
    reason: null,
    failure: null,
    timeout: null,
    retryRefused: null,
    grpcStatus: null,
    explainWanted: false,
    route: 'all',
    routePath: { kind: 'prefix', value: '/' },
    cluster: 'app',
    attempts: [attemptRecord()],
    bytesIn: 1,
    bytesOut: 2,
    startedAtMs: 100,
    queueMs: 0,
    pausedMs: 0,
    endedAtMs: 112,
    tls: null,
    clientCertificate: null,
    plan: 'abcdef0123456789',
    ...change,
  };
}
