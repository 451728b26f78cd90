/** Events in words: one sentence each, for people and for the `message` of formats that have one. */
import type { Event } from './events.ts';
import { counted } from './number_text.ts';

interface EventWords {
  /** One line. */
  readonly sentence: string;
  /** What belongs to it, a line each: problems, changes, a stack. */
  readonly more: readonly string[];
}

/** More lines than these would hide the ones around them. */
const MORE_MAX = 20;

export function wordsOf(event: Event): EventWords {
  const all = moreOf(event);
  const left = all.length - MORE_MAX;
  const more = left <= 0 ? all : [...all.slice(0, MORE_MAX), `and ${left} more`];
  return { sentence: sentenceOf(event), more };
}

function moreOf(event: Event): readonly string[] {
  if (event.kind === 'defect') return event.detail.split('\n');
  if (event.kind === 'requests_cut')
    return Object.entries(event.routes).map(([route, count]) => `route ${route}: ${count}`);
  if (event.kind !== 'reload' && event.kind !== 'rollback') return [];
  const { total, first } = event.changes ?? { total: 0, first: [] };
  const changes = first.map(({ path, change }) => `${path} ${change}`);
  const left = total - first.length;
  return [...event.problems, ...changes, ...(left > 0 ? [`and ${left} more`] : [])];
}

type Of<Kind extends Event['kind']> = Extract<Event, { kind: Kind }>;

function sentenceOf(event: Event): string {
  switch (event.kind) {
    case 'started':
      return `fairlead ${event.version} has started with plan ${shortDigest(event.plan)}`;
    case 'listener_opened':
      return `listener ${event.listener} is open on ${event.address}`;
    case 'listener_closed':
      return `listener ${event.listener} is closed`;
    case 'connections_refused':
      return `listener ${event.listener} refused ${counted(event.count, 'connection')}: ${LIMITS[event.cause]}`;
    case 'tls_refused':
      return `${counted(event.count, 'TLS handshake')} failed on listener ${event.listener}: ${tlsRefusal(event)} (${event.code})`;
    case 'proxy_protocol_refused':
      return `listener ${event.listener} refused ${counted(event.count, 'connection')} because of the PROXY protocol: ${event.cause}, most recently from ${event.peerIp}`;
    case 'health_changed':
      return `${event.cluster} ${endpointName(event)} is ${event.to}${because(event.cause)}`;
    case 'health_disagreement':
      return event.disagree
        ? `${event.cluster} ${endpointName(event)}: probes succeed (${event.probe}) but requests fail (${event.traffic})`
        : `${event.cluster} ${endpointName(event)}: probes and requests agree again`;
    case 'panic_changed':
      return event.panic
        ? `cluster ${event.cluster} is below its panic threshold: all its endpoints get traffic, healthy or not (${event.serving} in use)`
        : `cluster ${event.cluster} is above its panic threshold again`;
    case 'endpoints_changed':
      return `cluster ${event.cluster} has other addresses:${listed(' added', event.added)}${listed(' removed', event.removed)}`;
    case 'name_failed':
      return `cluster ${event.cluster}: the lookup of ${event.name} failed (${event.code}); ${counted(event.kept, 'address')} ${event.kept === 1 ? 'stays' : 'stay'} in use`;
    case 'name_resolved':
      return `cluster ${event.cluster}: ${event.name} has${listed(' the addresses', event.addresses)}`;
    case 'circuit_changed':
      return circuitSentence(event);
    case 'reload':
    case 'rollback':
      return reloadSentence(event);
    case 'certificate':
      return `certificate ${event.subject} of listener ${event.listener} ${event.expired ? 'expired on' : 'expires on'} ${event.notAfter}`;
    case 'overload':
      return event.state === 'shedding'
        ? `overloaded, refusing requests: ${SIGNALS[event.signal](event.value)}`
        : `no longer overloaded: ${SIGNALS[event.signal](event.value)}`;
    case 'audit':
      return `admin API: ${event.action} by ${event.by}: ${event.result}`;
    case 'limit_store':
      return event.why === null
        ? `store ${event.store} can be reached again`
        : `store ${event.store} cannot be reached: ${event.why}`;
    case 'tracing_export':
      return event.why === null
        ? 'spans reach the collector again'
        : `spans do not reach the collector: ${event.why}`;
    case 'log_level_changed':
      return `the log level is ${event.level}${event.forMs === null ? '' : ` for ${span(event.forMs)}`}`;
    case 'endpoint_drained':
      return `${event.cluster} ${event.endpoint} was drained by an operator`;
    case 'endpoint_ready':
      return `${event.cluster} ${event.endpoint} was made ready by an operator`;
    case 'phase_changed':
      return phaseSentence(event);
    case 'requests_cut':
      return event.listener === null
        ? `${counted(event.count, 'request')} cut off: the process ends`
        : `${counted(event.count, 'request')} cut off: listener ${event.listener} was removed`;
    case 'defect':
      return `a bug in Fairlead, please report it${event.requestId === null ? '' : ` (request ${event.requestId})`}`;
    case 'warning':
      return event.message;
    default:
      return event satisfies never;
  }
}

/** The setting that a cause of a refusal names. */
const LIMITS: Readonly<Record<Of<'connections_refused'>['cause'], string>> = {
  process: 'process.connections is reached',
  listener: 'its limits.connections is reached',
  clientIp: 'a client has reached limits.connectionsPerIp',
  flooded: 'a client has flooded it (limits.floodPenalty)',
  handshakes: 'its limits.handshakes is reached',
  descriptors: 'no file descriptors are left (ulimit -n)',
};

const SIGNALS: Readonly<Record<Of<'overload'>['signal'], (value: number) => string>> = {
  event_loop: value => `the event loop is ${Math.round(value)} ms late`,
  heap: value => `the heap is ${Math.round(value * 100)} % full`,
  buffered_bytes: value => `${Math.round(value)} bytes are buffered`,
};

/** An alert is what the client sent: it is the certificate of the listener that it rejects. */
function tlsRefusal({ cause, code }: Of<'tls_refused'>): string {
  if (cause !== 'certificate') return cause;
  return code.includes('ALERT')
    ? 'the client rejected the certificate'
    : 'the client has no valid certificate';
}

const TRIGGERS: Readonly<Record<Of<'reload' | 'rollback'>['trigger'], string>> = {
  signal: 'SIGHUP',
  watch: 'the file has changed',
  certificates: 'certificates have changed',
  admin: 'admin API',
  rollback: 'admin API',
  probation: 'too many requests failed',
};

function reloadSentence({
  kind,
  result,
  trigger,
  plan,
  problems,
  changes,
  tookMs,
}: Of<'reload' | 'rollback'>) {
  const why = TRIGGERS[trigger];
  const digest = shortDigest(plan);
  switch (result) {
    case 'applied':
      return `${kind === 'reload' ? 'reloaded' : 'rolled back'} (${why}): now running plan ${digest}, ${counted(changes?.total ?? 0, 'change')} in ${span(tookMs)}`;
    case 'unchanged':
      return `${kind} (${why}): already running plan ${digest}`;
    case 'rejected':
      return `${kind} rejected (${why}), still running plan ${digest}: ${counted(problems.length, 'problem')}`;
  }
}

function circuitSentence({ cluster, endpoint, to, cause, forMs }: Of<'circuit_changed'>): string {
  const whose = endpoint === null ? `cluster ${cluster}` : `${cluster} ${endpoint}`;
  const howLong = forMs === undefined ? '' : ` for ${span(forMs)}`;
  return `the circuit breaker of ${whose} is ${to}${howLong}${because(cause ?? '')}`;
}

function phaseSentence({ to, inFlight, cause }: Of<'phase_changed'>): string {
  const why = cause === null ? '' : ` (${cause})`;
  const requests = counted(inFlight, 'request');
  switch (to) {
    case 'lame_duck':
      return `no longer ready, still serving${why}`;
    case 'draining':
      return inFlight === 0
        ? `draining${why}: no requests in flight`
        : `draining${why}: ${requests} in flight will finish`;
    case 'forcing':
      return `ending ${requests} now${why}`;
    default:
      return `${to}${why}`;
  }
}

/** As configured, and the address where it is a name. */
function endpointName({ endpoint, endpointLabel }: { endpoint: string; endpointLabel: string }): string {
  return endpoint === endpointLabel ? endpoint : `${endpointLabel} (${endpoint})`;
}

function because(cause: string): string {
  return cause === '' ? '' : `: ${cause}`;
}

function listed(what: string, items: readonly string[]): string {
  return items.length === 0 ? '' : `${what} ${items.join(', ')}`;
}

function shortDigest(digest: string): string {
  return digest.slice(0, 12);
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** `250 ms`, `5 s`, `10 min`. */
function span(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  return ms < 2 * MINUTE_MS ? `${Math.round(ms / SECOND_MS)} s` : `${Math.round(ms / MINUTE_MS)} min`;
}
