/**
 * `/status` in a terminal, in the order of the status page: problems in sentences, then clusters and endpoints with the traffic
 * of the last minute, the failing ones first. No line is wider than the terminal.
 */
import { type DrainView, describeDrain } from '../lifecycle/drain_progress.ts';
import { type Paint, painter, type Style } from '../observability/terminal.ts';
import type { StatsSummary } from '../observability/traffic_stats.ts';
import { clusterSeverity, severityOf, sorted } from './endpoint_severity.ts';
import { naturalOrder } from './natural_order.ts';
import type { Problem } from './problem.ts';
import type { describeStatus } from './status.ts';
import { duration, ms, percent, percentiles, rate } from './status_format.ts';
import { type Row, renderTable, wrap } from './text_table.ts';

export interface Status extends ReturnType<typeof describeStatus> {
  readonly version: string;
  readonly phase: string;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly plan: string;
  /** Null: the process serves. Absent: it is older than the command. */
  readonly drain?: DrainView | null;
  readonly readiness: { readonly ready: boolean; readonly reasons: readonly string[] };
  readonly figures: StatsSummary;
  /** Absent: the process is older than the command. */
  readonly problems?: readonly Problem[];
}

type Cluster = Status['clusters'][number];
type Endpoint = Cluster['endpoints'][number];

interface TerminalStyle {
  /** Columns; infinity: no limit. */
  readonly width: number;
  readonly color: boolean;
}

/** Every cluster, or what is left of them (`status_selection.ts`). */
export function renderStatus(status: Status, { width, color }: TerminalStyle): string {
  const heads = headOf(status).flatMap(line => wrap(line, width, INDENT));
  const paint = painter(color);
  const problems = problemLines(status, width, paint);
  return `${[...heads, '', ...problems, '', ...endpointTable(status.clusters, width, paint)].join('\n')}\n`;
}

/** One cluster, each endpoint with all that is known of it. */
export function renderCluster(status: Status, cluster: Cluster, { width, color }: TerminalStyle): string {
  const { name, policy, serving, endpoints, queue, queueMax, retryBudget, circuit, circuitWhy } = cluster;
  const rest = circuit === null ? '' : `  circuit ${circuit}${circuitWhy === null ? '' : ` (${circuitWhy})`}`;
  const heads = [
    `cluster ${name}  ${policy}  ${serving} of ${endpoints.length} eligible  queue ${queue} of ${queueMax}  retries left ${retryBudget}${rest}`,
    trafficLine(cluster.figures),
  ].flatMap(line => wrap(line, width, INDENT));
  const paint = painter(color);
  const blocks = sorted(endpoints).flatMap(endpoint => ['', ...endpointBlock(endpoint, width, paint)]);
  return `${[...heads, '', ...problemLines(status, width, paint), ...blocks].join('\n')}\n`;
}

// ---- parts

const INDENT = 2;

function headOf({
  version,
  phase,
  uptimeMs,
  plan,
  requests,
  connections,
  readiness,
  figures,
  drain,
}: Status): string[] {
  const ready = readiness.ready ? 'ready' : `not ready: ${readiness.reasons.join('; ')}`;
  const lines = [
    `fairlead ${version}  ${phase}  up ${duration(uptimeMs)}  plan ${plan.slice(0, 12)}  ${ready}`,
    `${trafficLine(figures)}  active ${requests.active}  tunnels ${requests.tunnels}  connections ${connections.open}`,
  ];
  if (drain != null) lines.push(`${describeDrain(drain)}; asked for by ${drain.cause}`);
  return lines;
}

function trafficLine(figures: StatsSummary): string {
  const { requests, perSecond, failureShare } = figures;
  return `requests ${requests} in the last minute (${rate(perSecond)}/s)  failed ${percent(failureShare)}  p50/p95/p99 ${percentiles(figures)}`;
}

const SEVERITY_WIDTH = 'warning  '.length;
const SEVERITY_COLORS: Readonly<Record<Problem['severity'], Style>> = {
  error: 'red',
  warning: 'yellow',
  note: 'yellow',
};

function problemLines({ problems = [] }: Status, width: number, paint: Paint): string[] {
  if (problems.length === 0) return [paint('no problems', 'green')];
  return problems.flatMap(({ severity, text, key }) =>
    wrap(
      `${severity.padEnd(SEVERITY_WIDTH - 1)} ${text}${key === null ? '' : ` [${key}]`}`,
      width,
      SEVERITY_WIDTH,
    ).map(line => paint(line, SEVERITY_COLORS[severity])),
  );
}

const HEADS = [
  ...['cluster', 'endpoint', 'state', 'since', 'requests', 'failed', 'p95', 'active'],
  ...['conns', 'circuit', 'last error'],
];

function endpointTable(clusters: readonly Cluster[], width: number, paint: Paint): string[] {
  const worst = clusters.toSorted(
    (a, b) => clusterSeverity(a) - clusterSeverity(b) || naturalOrder(a.name, b.name),
  );
  const rows = worst.flatMap(({ name, endpoints }) =>
    sorted(endpoints).map(endpoint => rowOf(name, endpoint)),
  );
  return rows.length === 0 ? ['no endpoint is failing'] : renderTable(HEADS, rows, width, paint);
}

function rowOf(cluster: string, endpoint: Endpoint): Row {
  const { figures, connections, circuit } = endpoint;
  const cells = [
    cluster,
    endpoint.endpoint,
    stateText(endpoint),
    duration(endpoint.sinceMs),
    String(figures.requests),
    percent(figures.failureShare),
    ms(figures.p95Ms),
    String(endpoint.inFlight),
    `${connections.inUse}/${connections.open}`,
    circuit ?? '-',
    lastErrorOf(endpoint),
  ];
  return { cells, style: styleOf(endpoint) };
}

function endpointBlock(endpoint: Endpoint, width: number, paint: Paint): string[] {
  const { figures, latency, connections, circuit, circuitWhy } = endpoint;
  const usual = latency.usualMs === null ? '' : `, usually ${ms(latency.usualMs)}`;
  const facts: readonly (readonly [string, string])[] = [
    [
      'requests',
      `${figures.requests} in the last minute (${rate(figures.perSecond)}/s), ${percent(figures.failureShare)} failed, ${figures.retried} retried`,
    ],
    ['durations', `p50/p95/p99 ${percentiles(figures)}; first byte p95 ${ms(latency.p95Ms)}${usual}`],
    [
      'active',
      `${endpoint.inFlight}, on ${connections.inUse} of ${connections.open} open connections, at most ${endpoint.connectionsMax}`,
    ],
    ['circuit', `${circuit ?? '-'}${circuitWhy === null ? '' : `: ${circuitWhy}`}`],
    ['ejections', String(endpoint.ejections)],
    ['weight', String(endpoint.weight)],
    ['last error', errorText(endpoint) || '-'],
  ];
  const title = `${endpoint.endpoint}  ${endpoint.state} for ${duration(endpoint.sinceMs)}${besides(endpoint)}`;
  return [
    ...wrap(title, width, INDENT).map(line => paint(line, styleOf(endpoint))),
    ...facts.flatMap(([name, value]) => wrap(`  ${name.padEnd(FACT_WIDTH)}${value}`, width, FACT_WIDTH + 2)),
  ];
}

const FACT_WIDTH = 'last error  '.length;

// ---- words

/** Also what its health does not show. */
function stateText(endpoint: Endpoint): string {
  return `${endpoint.state}${besides(endpoint)}`;
}

function besides({ state, slow, disagrees }: Endpoint): string {
  return `${disagrees && state === 'healthy' ? ', fails' : ''}${slow == null ? '' : ', slow'}`;
}

const STYLES = ['red', 'red', 'yellow', 'green'] as const satisfies Style[];

function styleOf(endpoint: Endpoint): Style {
  return STYLES[severityOf(endpoint)];
}

function lastErrorOf(endpoint: Endpoint): string {
  return endpoint.circuitWhy ?? errorText(endpoint);
}

function errorText({ lastError, lastErrorAgoMs }: Endpoint): string {
  if (lastError === null) return '';
  return lastErrorAgoMs === null ? lastError : `${lastError}, ${duration(lastErrorAgoMs)} ago`;
}
