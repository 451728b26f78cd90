/**
 * What the access line of one request costs, in nanoseconds of CPU, and what pino would cost for the same line.
 *
 *   node loadtest/micro/access_log.ts [rounds]
 *
 * All write to /dev/null, so that no pipe costs anything. Strings from clients are fresh ones, as from Node's parsers. The
 * variants take turns, round by round, so that a change of the machine's speed affects all of them. The results are medians
 * of CPU time, user and system, including the threads that write. Target: line, destination and metrics (metrics.ts) together below 2,500 ns.
 */
import { openSync } from 'node:fs';
import pino from 'pino';
import { accessLine, overheadMs, shownPath } from '../../src/observability/access_log.ts';
import type { RequestRecord } from '../../src/observability/events.ts';
import { BufferedDestination } from '../../src/observability/log_destination.ts';
import { systemClock } from '../../src/resilience/clock.ts';
import { attemptRecord, requestRecord } from '../../test/observability/records.ts';

const RECORDS = 4_096; // a power of two: the next one is a mask away
const CALLS_PER_ROUND = 50_000;
/** It writes at most 16 KiB at a time. */
const PINO_MIN_LENGTH = 8 * 1024;
const ROUNDS = Number(process.argv[2] ?? 25);

const fresh = (text: string) => Buffer.from(text, 'latin1').toString('latin1');

function recordAt(at: number): RequestRecord {
  const startedAtMs = 1_000 + at * 1.337;
  const attempt = attemptRecord({
    endpoint: '10.0.0.2:8080',
    startedAtMs: startedAtMs + 0.081,
    connectMs: 0,
    firstByteMs: 3.1 + at / 999,
    endedAtMs: startedAtMs + 5.2 + at / 777,
    reused: true,
  });
  return requestRecord({
    listener: 'public',
    clientIp: fresh('203.0.113.7'),
    user: null,
    peerIp: fresh('10.1.2.3'),
    host: fresh('www.example.com'),
    path: fresh(`/shop/orders/${at}/items?page=2&sort=date`),
    route: 'shop',
    attempts: [attempt],
    bytesIn: 0,
    bytesOut: 1_024,
    startedAtMs,
    endedAtMs: startedAtMs + 5.3 + at / 777,
    tls: 'TLSv1.3',
    clientCertificate: null,
    plan: 'abcdef0123456789abcdef0123456789',
  });
}

/** The line as an object, for who makes the text. */
function lineObject(record: RequestRecord): object {
  const last = record.attempts[record.attempts.length - 1];
  const { requestId, traceId, listener, clientIp, peerIp, method, host, path, protocol } = record;
  return {
    requestId,
    traceId,
    listener,
    clientIp,
    peerIp,
    method,
    host,
    path,
    protocol,
    status: record.status,
    reason: record.reason,
    route: record.route,
    cluster: record.cluster,
    attempts: record.attempts.map(({ endpoint, startedAtMs, endedAtMs, status, reason, reused }) => ({
      endpoint,
      ms: (endedAtMs ?? 0) - startedAtMs,
      status,
      reason,
      reused,
    })),
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    timing: {
      queue: record.queueMs,
      connect: last?.connectMs,
      firstByte: last?.firstByteMs,
      total: record.endedAtMs - record.startedAtMs,
      overhead: overheadMs(record),
    },
    tls: record.tls,
    plan: record.plan,
  };
}

const records = Array.from({ length: RECORDS }, (_, at) => recordAt(at));
const noNames: ReadonlySet<string> = new Set();
const names: ReadonlySet<string> = new Set(['token']);
let drops = 0;
const fd = openSync('/dev/null', 'w');
const ours = new BufferedDestination({ fd }, systemClock, () => drops++);
const pinoOnOurs = pino({ base: null }, { write: line => ours.write(line) });
const pinosOwn = pino({ base: null }, pino.destination({ fd, sync: false, minLength: PINO_MIN_LENGTH }));

interface Way {
  readonly name: string;
  readonly run: (record: RequestRecord) => unknown;
  readonly nanoseconds: number[];
}
const way = (name: string, run: Way['run']): Way => ({ name, run, nanoseconds: [] });
const ways = [
  way(
    'the line alone',
    record => accessLine(record, shownPath(record.path, noNames), systemClock.wallMs()).length,
  ),
  way(
    'the line alone, query masked',
    record => accessLine(record, shownPath(record.path, names), systemClock.wallMs()).length,
  ),
  way('the line, our destination', record =>
    ours.write(accessLine(record, shownPath(record.path, noNames), systemClock.wallMs())),
  ),
  way('pino, our destination', record => pinoOnOurs.info(lineObject(record))),
  way('pino, its own destination', record => pinosOwn.info(lineObject(record))),
];

let kept: unknown; // so that nothing is optimised away
for (let round = 0; round < ROUNDS; round++) {
  for (const { run, nanoseconds } of ways) {
    const before = process.cpuUsage();
    for (let call = 0; call < CALLS_PER_ROUND; call++) {
      kept = run(records[call & (RECORDS - 1)] as RequestRecord);
      // As in the proxy: between two turns of the loop there are some dozen requests, and writes end.
      if ((call & 31) === 0) await new Promise(resolve => setImmediate(resolve));
    }
    const { user, system } = process.cpuUsage(before);
    nanoseconds.push(((user + system) * 1_000) / CALLS_PER_ROUND);
  }
}
ours.flush();
for (const { name, nanoseconds } of ways) {
  const median = nanoseconds.sort((a, b) => a - b)[nanoseconds.length >> 1] ?? 0;
  console.log(`${name.padEnd(32)} ${median.toFixed(0).padStart(6)} ns`);
}
if (drops > 0)
  console.log(`${drops} lines were dropped: "our destination" shows too little; try a quieter machine`);
if (kept === null) throw new Error('nothing ran');
