/** What is wrong with one cluster and its endpoints: a sentence for each kind of trouble, not one for each endpoint. */
import { countedVerb } from '../observability/number_text.ts';
import { FAILURE_SHARE_BAD, isOut, sorted } from './endpoint_severity.ts';
import { listText } from './name_list.ts';
import { aboutCluster, type Problem } from './problem.ts';
import type { Slow } from './slow_endpoints.ts';
import { duration, ms, percent } from './status_format.ts';
import type { ClusterView, EndpointView } from './status_view.ts';

/** No endpoint gets requests. A cluster without endpoints cannot exist. */
export function isDown({ serving }: ClusterView): boolean {
  return serving === 0;
}

export function clusterProblems(cluster: ClusterView): Problem[] {
  const { name, endpoints, panic, circuit, circuitWhy, queue, queueMax } = cluster;
  const found: Problem[] = [];
  const add = (severity: Problem['severity'], text: string, key: string | null = null): void => {
    found.push({
      severity,
      ...aboutCluster(name),
      text,
      key: key === null ? null : `clusters.${name}.${key}`,
    });
  };
  const out = endpoints.filter(({ state }) => isOut(state));
  const drained = endpoints.filter(({ state }) => state === 'drained');
  const rest = sorted(endpoints.filter(({ state }) => !isOut(state) && state !== 'drained'));

  if (isDown(cluster)) add('error', downText(cluster, out, drained), keyOf(out));
  else if (panic)
    add(
      'error',
      `${name} is below its panic threshold: ${outOf(endpoints, out.length)} are down, so all of them get traffic${because(out)}.`,
      'loadBalancing.panicBelow',
    );
  else if (out.length > 0) add('warning', outText(name, out, endpoints.length), keyOf(out));
  if (circuit === 'open')
    add('error', `${name}: the circuit breaker of the cluster is open: ${circuitWhy}.`, 'circuitBreaker');
  if (queue > 0) {
    const room = queue >= queueMax ? '; its queue is full' : '';
    add(
      'warning',
      `${name}: ${countedVerb(queue, 'request', 'is')} waiting for a connection${room}.`,
      'pool.connections',
    );
  }
  for (const { some, texts, key, fails } of troubles(cluster, rest))
    for (const text of texts) add(fails && some.length === rest.length ? 'error' : 'warning', text, key);
  if (drained.length > 0 && !isDown(cluster)) add('note', drainedText(name, drained, endpoints.length));
  return found;
}

// ---- endpoints that get no requests

/** `app is down: …` */
function downText(
  { name, endpoints }: ClusterView,
  out: readonly EndpointView[],
  drained: readonly EndpointView[],
): string {
  const [only] = endpoints;
  if (endpoints.length === 1 && only !== undefined)
    return `${name} is down: its only endpoint ${stateText(only)}.`;
  const counts = [
    ...[...Map.groupBy(out, ({ state }) => state)].map(([state, some]) => `${some.length} ${state}`),
    ...(drained.length > 0 ? [`${drained.length} drained by an operator`] : []),
  ];
  const states = counts.length === 0 ? '' : ` (${counts.join(', ')})`;
  return `${name} is down: none of its ${endpoints.length} endpoints is eligible${states}${because(out)}.`;
}

function outText(cluster: string, out: readonly EndpointView[], all: number): string {
  const [only] = out;
  if (out.length === 1 && only !== undefined) return `${cluster} ${stateText(only)}.`;
  const longest = Math.max(...out.map(({ sinceMs }) => sinceMs));
  return `${cluster}: ${out.length} of ${all} endpoints are down, the first for ${duration(longest)}${because(out)} (${names(out)}).`;
}

/** `10.0.0.7:80 has been unhealthy for 2 min: connect_refused` */
function stateText(endpoint: EndpointView): string {
  const { endpoint: address, state, sinceMs } = endpoint;
  if (state === 'unresolved') return `${address} has no address${because([endpoint])}`;
  if (state === 'drained') return `${address} was drained by an operator ${duration(sinceMs)} ago`;
  return `${address} has been ${state} for ${duration(sinceMs)}${because([endpoint])}`;
}

function drainedText(cluster: string, drained: readonly EndpointView[], all: number): string {
  const [only] = drained;
  if (drained.length === 1 && only !== undefined) return `${cluster} ${stateText(only)}.`;
  return `${cluster}: ${drained.length} of ${all} endpoints were drained by an operator (${names(drained)}).`;
}

/** The key that decides about the worst one: a name to resolve, the health check, or the rule of ejection. */
function keyOf([first]: readonly EndpointView[]): string | null {
  switch (first?.state) {
    case 'unresolved':
      return 'endpoints';
    case 'unhealthy':
      return 'health.active';
    case 'ejected':
      return 'health.passive';
    default:
      return null;
  }
}

// ---- endpoints that get requests, and are in trouble

interface Trouble {
  readonly some: readonly EndpointView[];
  readonly texts: readonly string[];
  readonly key: string | null;
  /** Requests fail: if all endpoints are like this, so does the cluster. */
  readonly fails: boolean;
}

function troubles({ name, endpoints }: ClusterView, rest: readonly EndpointView[]): Trouble[] {
  const total = endpoints.length;
  const paused = rest.filter(({ circuit }) => circuit === 'open');
  const lying = rest.filter(({ disagrees }) => disagrees);
  const failing = rest.filter(
    ({ figures, disagrees, circuit }) =>
      figures.failureShare > FAILURE_SHARE_BAD && !disagrees && circuit !== 'open',
  );
  return [
    {
      some: paused,
      fails: true,
      texts: oneText(
        paused,
        ({ endpoint, circuitWhy }) => `${name} ${endpoint}: its circuit breaker is open: ${circuitWhy}.`,
        () =>
          `${name}: the circuit breakers of ${outOf(endpoints, paused.length)} are open${because(paused)} (${names(paused)}).`,
      ),
      key: 'circuitBreaker',
    },
    {
      some: lying,
      fails: true,
      texts: oneText(
        lying,
        one => `${name} ${one.endpoint}: its health check succeeds while its requests fail${because([one])}.`,
        () =>
          `${name}: the health checks of ${outOf(endpoints, lying.length)} succeed while requests fail${because(lying)} (${names(lying)}).`,
      ),
      key: 'health.active',
    },
    {
      some: failing,
      fails: true,
      texts: oneText(
        failing,
        one =>
          `${name} ${one.endpoint}: ${percent(one.figures.failureShare)} of its requests fail${lately(one)}.`,
        () =>
          `${name}: ${failing.length} of ${total} endpoints fail ${shares(failing)} of their requests${because(failing)} (${names(failing)}).`,
      ),
      key: null,
    },
    { some: rest, fails: false, texts: slowTexts(name, total, rest), key: null },
  ];
}

function slowTexts(cluster: string, total: number, rest: readonly EndpointView[]): string[] {
  const slow = rest.flatMap(one => (one.slow === null ? [] : [{ endpoint: one, slow: one.slow }]));
  const worst = slow.toSorted((a, b) => b.slow.p95Ms - a.slow.p95Ms)[0]?.slow;
  if (worst === undefined) return [];
  return oneText(
    slow.map(({ endpoint }) => endpoint),
    ({ endpoint }) => `${cluster} ${endpoint} is slow: ${pace(worst)}.`,
    all => {
      const how = all.length === total ? `all ${total}` : `${all.length} of ${total}`;
      return `${cluster}: ${how} endpoints are slow, the worst with ${pace(worst)} (${names(all)}).`;
    },
  );
}

function pace({ p95Ms, expectedMs, against }: Slow): string {
  const expected = against === 'siblings' ? `${ms(expectedMs)} on the others` : `usually ${ms(expectedMs)}`;
  return `a p95 to the first byte of ${ms(p95Ms)} in the last minute, ${expected}`;
}

// ---- words

function oneText(
  endpoints: readonly EndpointView[],
  one: (endpoint: EndpointView) => string,
  many: (endpoints: readonly EndpointView[]) => string,
): string[] {
  const [first] = endpoints;
  if (first === undefined) return [];
  return [endpoints.length === 1 ? one(first) : many(endpoints)];
}

const NAMES_SHOWN = 2;
const ERRORS_SHOWN = 2;

function names(endpoints: readonly EndpointView[]): string {
  return listText(
    endpoints.map(({ endpoint }) => endpoint),
    NAMES_SHOWN,
  );
}

/** `: connect_refused, status 503`: the different last errors, the most frequent first. One may be part of another. */
function because(endpoints: readonly EndpointView[]): string {
  const errors = Map.groupBy(
    endpoints.filter(({ lastError }) => lastError !== null),
    ({ lastError }) => lastError,
  );
  const shown: string[] = [];
  for (const [error] of [...errors].toSorted(([, a], [, b]) => b.length - a.length)) {
    const isSame = shown.some(known => error?.includes(known) || known.includes(error ?? ''));
    if (error !== null && !isSame && shown.length < ERRORS_SHOWN) shown.push(error);
  }
  return shown.length === 0 ? '' : `: ${shown.join(', ')}`;
}

function lately({ lastError }: EndpointView): string {
  return lastError === null ? '' : `, most recently ${lastError}`;
}

function outOf(endpoints: readonly EndpointView[], some: number): string {
  return `${some} of ${endpoints.length} endpoints`;
}

function shares(endpoints: readonly EndpointView[]): string {
  const all = endpoints.map(({ figures }) => figures.failureShare);
  const [least, most] = [percent(Math.min(...all)), percent(Math.max(...all))];
  return least === most ? most : `${least} to ${most}`;
}
