/** A line in the Elastic Common Schema 8.11: ECS fields where there are some, `fairlead.*` for the rest. */
import { detailOf, FAILURE_RULES, wentWell } from '../resilience/failure.ts';
import { attemptMs, escapeControls, type LineFormat, overheadMs } from './access_log.ts';
import { ecsHead } from './ecs_head.ts';
import { splitHost } from './host_and_port.ts';

const NANOSECONDS_PER_MS = 1e6;

export const ecsLine: LineFormat = (record, path, wallMs) => {
  const { reason, status, attempts } = record;
  const question = path.indexOf('?');
  const { name, port } = splitHost(record.host);
  const line = {
    ...ecsHead(
      wallMs,
      reason === null ? 'info' : FAILURE_RULES[reason].logLevel,
      `${record.method} ${path} ${status}`,
    ),
    'event.dataset': 'fairlead.access',
    'event.category': ['web'],
    'event.duration': Math.round((record.endedAtMs - record.startedAtMs) * NANOSECONDS_PER_MS),
    'event.outcome': wentWell(status, reason) ? 'success' : 'failure',
    'http.request.id': record.requestId,
    'http.request.method': record.method,
    'http.request.body.bytes': record.bytesIn,
    'http.request.referrer': record.referer ?? undefined,
    'http.response.status_code': status,
    'http.response.body.bytes': record.bytesOut,
    'http.version': record.protocol.slice('HTTP/'.length),
    'url.domain': name ?? undefined,
    'url.port': port ?? undefined,
    'url.path': question < 0 ? path : path.slice(0, question),
    'url.query': question < 0 ? undefined : path.slice(question + 1),
    'client.ip': record.clientIp,
    'source.ip': record.peerIp,
    'user.name': record.user ?? undefined,
    'user_agent.original': record.userAgent ?? undefined,
    'tls.version': record.tls?.replace(/^TLSv/, ''),
    'tls.client.subject': record.clientCertificate ?? undefined,
    'trace.id': record.traceId ?? undefined,
    'error.code': reason ?? undefined,
    'error.message': (record.failure === null ? null : detailOf(record.failure)) ?? undefined,
    'fairlead.listener': record.listener,
    'fairlead.route': record.route,
    'fairlead.cluster': record.cluster,
    'fairlead.attempts': attempts.map(attempt => ({
      endpoint: attempt.endpoint,
      ms: Math.round(attemptMs(attempt, record) * 100) / 100,
      status: attempt.status,
      reason: attempt.reason,
      detail: attempt.detail ?? undefined,
      reused: attempt.reused,
    })),
    'fairlead.timeout': record.timeout ?? undefined,
    'fairlead.retry_refused': record.retryRefused ?? undefined,
    'fairlead.timing.queue': record.queueMs,
    'fairlead.timing.overhead': Math.round(overheadMs(record) * 100) / 100,
    'fairlead.plan': record.plan.slice(0, 12),
  };
  return `${escapeControls(JSON.stringify(line))}\n`;
};
