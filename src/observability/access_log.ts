/**
 * The access log line of one request. The JSON is assembled by hand, because a general serialiser would take longer
 * than the whole request. Only text from outside is escaped.
 */
import { detailOf, FAILURE_RULES } from '../resilience/failure.ts';
import type { AttemptRecord, RequestRecord } from './events.ts';

/** pino's numbers for the levels of the failure table. */
const LEVELS = { info: 30, warn: 40, error: 50 } as const;

/** Formats one request: `path` without secrets, `wallMs` the time of day. */
export type LineFormat = (record: RequestRecord, path: string, wallMs: number) => string;

/** How JSON lines write the time. */
export const JSON_TIMES = {
  epoch: String,
  iso: (wallMs: number) => `"${new Date(wallMs).toISOString()}"`,
} as const satisfies Record<string, (wallMs: number) => string>;

export const accessLine: LineFormat = (record, path, wallMs) => lineAt(record, path, String(wallMs));

export const accessLineWithIsoTime: LineFormat = (record, path, wallMs) =>
  lineAt(record, path, JSON_TIMES.iso(wallMs));

/** Milliseconds are rounded to a hundredth. */
function lineAt(record: RequestRecord, path: string, time: string): string {
  const level = record.reason === null ? LEVELS.info : LEVELS[FAILURE_RULES[record.reason].logLevel];
  const totalMs = record.endedAtMs - record.startedAtMs;
  const last = record.attempts[record.attempts.length - 1];
  return (
    `{"level":${level},"time":${time},"requestId":"${record.requestId}","traceId":${text(record.traceId)},` +
    `"listener":${text(record.listener)},"clientIp":${text(record.clientIp)},${record.user === null ? '' : `"user":${text(record.user)},`}"peerIp":${text(record.peerIp)},` +
    `"method":${text(record.method)},"host":${text(record.host)},"path":${text(path)},"protocol":"${record.protocol}",` +
    `"status":${record.status},"reason":${text(record.reason)},"route":${text(record.route)},"cluster":${text(record.cluster)},` +
    `"attempts":[${attempts(record)}],"bytesIn":${record.bytesIn},"bytesOut":${record.bytesOut},` +
    `${rare(record)}"timing":{"queue":${ms(record.queueMs)},"connect":${ms(last?.connectMs ?? null)},"firstByte":${ms(last?.firstByteMs ?? null)},` +
    `"total":${ms(totalMs)},${record.pausedMs === 0 ? '' : `"paused":${ms(record.pausedMs)},`}"overhead":${ms(overheadMs(record))}},"tls":${text(record.tls)},${certificate(record)}"plan":"${record.plan.slice(0, 12)}"}\n`
  );
}

/**
 * Time that neither a backend nor the queue explains: from the head of the request to the end of its response, minus the
 * waiting for a lease, the pauses before retries, and each attempt from its lease to its end. It contains the proxy's own
 * work, and what a slow client needs for the last bytes after the backend was done. Not below 0: the response of an earlier
 * attempt may still be read (and discarded) during the next one.
 */
export function overheadMs(record: RequestRecord): number {
  let explainedMs = record.queueMs + record.pausedMs;
  for (const attempt of record.attempts) explainedMs += attemptMs(attempt, record);
  return Math.max(0, record.endedAtMs - record.startedAtMs - explainedMs);
}

/** Duration of an attempt; one without an end lasted until the end of the request. */
export function attemptMs({ startedAtMs, endedAtMs }: AttemptRecord, record: RequestRecord): number {
  return (endedAtMs ?? record.endedAtMs) - startedAtMs;
}

function certificate({ clientCertificate }: RequestRecord): string {
  return clientCertificate === null ? '' : `"clientCertificate":${text(clientCertificate)},`;
}

/** Fields that only few requests have. */
function rare({ failure, timeout, retryRefused, grpcStatus }: RequestRecord): string {
  if (failure === null && timeout === null && retryRefused === null && grpcStatus === null) return '';
  const detail = failure === null ? null : detailOf(failure);
  let fields = detail === null ? '' : `"detail":${text(detail)},`;
  if (grpcStatus !== null) fields += `"grpcStatus":${grpcStatus},`;
  if (timeout !== null)
    fields += `"timeout":{"name":"${timeout.name}","ms":${ms(timeout.ms)},"origin":${text(timeout.origin)}},`;
  return retryRefused === null ? fields : `${fields}"retryRefused":"${retryRefused}",`;
}

function attempts(record: RequestRecord): string {
  let line = '';
  for (const attempt of record.attempts) {
    const { endpoint, status, reason, detail, reused } = attempt;
    if (line !== '') line += ',';
    line += `{"endpoint":${text(endpoint)},"ms":${ms(attemptMs(attempt, record))},"status":${status},"reason":${text(reason)},${detail === null ? '' : `"detail":${text(detail)},`}"reused":${reused}}`;
  }
  return line;
}

function ms(value: number | null): string {
  return value === null ? 'null' : String(Math.round(value * 100) / 100);
}

/** Printable ASCII without quote and backslash needs no escaping. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function text(value: string | null): string {
  if (value === null) return 'null';
  return PLAIN.test(value) ? `"${value}"` : escapeControls(JSON.stringify(value));
}

/** JSON allows DEL and C1 controls (RFC 8259 section 7), but a terminal executes some of them. */
export function escapeControls(json: string): string {
  return json.replace(/[\x7f-\x9f]/g, control => `\\u00${control.charCodeAt(0).toString(16)}`);
}

/** The path with its secrets masked. */
export function shownPath(path: string, names: ReadonlySet<string>): string {
  return names.size === 0 ? path : redact(path, names);
}

/** `?token=abc&a=1` becomes `?token=***&a=1`; names are compared as written and decoded. */
export function redact(path: string, names: ReadonlySet<string>): string {
  const question = path.indexOf('?');
  if (question < 0) return path;
  const parameters = path.slice(question + 1).split('&');
  const shown = parameters.map(parameter => {
    const name = parameter.split('=', 1)[0] ?? '';
    return names.has(name) || names.has(decoded(name)) ? `${name}=***` : parameter;
  });
  return `${path.slice(0, question)}?${shown.join('&')}`;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
}
