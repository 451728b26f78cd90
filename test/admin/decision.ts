/** A decision record as a test needs it. */
import type { ExplainedDecision } from '../../src/admin/decision_view.ts';

type Attempt = ExplainedDecision['attempts'][number];

export function attemptOf(change: Partial<Attempt> = {}): Attempt {
  return {
    endpoint: '10.0.0.1:80',
    startMs: 0,
    connectMs: 1,
    firstByteMs: 5,
    ms: 10,
    status: 200,
    reason: null,
    detail: null,
    reused: false,
    ...change,
  };
}

export function decisionOf(change: Partial<ExplainedDecision> = {}): ExplainedDecision {
  return {
    id: 'r1',
    time: '2026-01-01T00:00:00.000Z',
    traceId: null,
    listener: 'main',
    client: {
      ip: '192.0.2.1',
      peer: '192.0.2.1',
      connection: '192.0.2.1',
      trusted: false,
      source: 'connection',
    },
    request: { method: 'GET', host: 'app.test', path: '/a', protocol: 'HTTP/1.1' },
    status: 200,
    reason: null,
    failure: null,
    route: 'api',
    cluster: null,
    policy: null,
    rateLimits: [],
    attempts: [],
    retryRefused: null,
    timeout: null,
    timing: { queueMs: 0, pausedMs: 0, totalMs: 10, overheadMs: 0 },
    bytesIn: 0,
    bytesOut: 0,
    plan: 'abcdef0123456789',
    cause: 'It was answered.',
    clientFrom: 'the peer itself',
    nearer: [],
    elsewhere: null,
    endpoints: [],
    limits: [],
    settings: [],
    hints: [],
    ...change,
  };
}
