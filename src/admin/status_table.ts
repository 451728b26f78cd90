/** `/status` as a table: problems in words and in colour, and no line wider than the terminal. */
import { type DrainView, describeDrain } from '../lifecycle/drain_progress.ts';
import type { describeStatus } from './status.ts';
import { duration } from './status_format.ts';

export interface Status extends ReturnType<typeof describeStatus> {
  readonly version: string;
  readonly phase: string;
  readonly uptimeMs: number;
  readonly plan: string;
  readonly lastReload: {
    readonly at: string;
    readonly result: { readonly kind: string; readonly problems?: readonly string[] };
  } | null;
  readonly isFromFile: boolean;
  /** Null: the process serves. Absent: it is older than the command. */
  readonly drain?: DrainView | null;
  readonly readiness: { readonly ready: boolean; readonly reasons: readonly string[] };
}

const GREEN = 32;
const YELLOW = 33;
const RED = 31;
const COLORS: Readonly<Record<string, number>> = {
  healthy: GREEN,
  unchecked: GREEN,
  warming: YELLOW,
  unknown: YELLOW,
  drained: YELLOW,
  unhealthy: RED,
  ejected: RED,
  unresolved: RED,
};
const HEADS = ['cluster', 'endpoint', 'state', 'since', 'in flight', 'conns', 'circuit', 'last error'];
const GAP = 2;

export function renderStatus(status: Status, width: number, color: boolean): string {
  const rows = status.clusters.flatMap(({ name, endpoints }) =>
    endpoints.map(endpoint => [
      name,
      endpoint.endpoint,
      endpoint.state,
      duration(endpoint.sinceMs),
      String(endpoint.inFlight),
      `${endpoint.connections.inUse}/${endpoint.connections.open}`,
      endpoint.circuit ?? '-',
      lastErrorOf(endpoint),
    ]),
  );
  const table = [HEADS, ...rows];
  const widths = HEADS.map((_, at) => Math.max(...table.map(row => (row[at] ?? '').length)));
  const lines = table.map((row, number) => {
    const text = row
      .map((cell, at) => cell.padEnd((widths[at] ?? 0) + GAP))
      .join('')
      .trimEnd();
    const code = row[6] === 'open' ? RED : COLORS[row[2] ?? ''];
    return paint(cut(text, width), number === 0 ? undefined : code, color);
  });
  const head = headOf(status).map(line => cut(line, width));
  return `${[...head, '', ...lines].join('\n')}\n`;
}

function headOf({
  version,
  phase,
  uptimeMs,
  plan,
  requests,
  connections,
  readiness,
  lastReload,
  isFromFile,
  drain,
  clusters,
}: Status) {
  const lines = [
    `fairlead ${version}  ${phase}  up ${duration(uptimeMs)}  plan ${plan.slice(0, 12)}`,
    `requests ${requests.active}  tunnels ${requests.tunnels}  connections ${connections.open}  ${readiness.ready ? 'ready' : `not ready: ${readiness.reasons.join('; ')}`}`,
  ];
  const queued = clusters.filter(({ queue }) => queue > 0).map(({ name, queue }) => `${name} ${queue}`);
  if (drain != null) lines.push(`${describeDrain(drain)}; asked for by ${drain.cause}`);
  if (queued.length > 0) lines.push(`queued  ${queued.join('  ')}`);
  if (lastReload?.result.kind === 'rejected')
    lines.push(`last reload rejected at ${lastReload.at}: ${lastReload.result.problems?.[0] ?? ''}`);
  if (!isFromFile)
    lines.push(
      'the running plan came from a rollback; the next reload or restart would bring back the plan in the file',
    );
  return lines;
}

function lastErrorOf({
  circuitWhy,
  lastError,
  lastErrorAgoMs,
}: Status['clusters'][number]['endpoints'][number]) {
  if (circuitWhy !== null) return circuitWhy;
  if (lastError === null) return '';
  return lastErrorAgoMs === null ? lastError : `${lastError}, ${duration(lastErrorAgoMs)} ago`;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}\u2026`;
}

function paint(text: string, code: number | undefined, color: boolean): string {
  return color && code !== undefined ? `\x1b[${code}m${text}\x1b[0m` : text;
}
