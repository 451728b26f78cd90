/** What decision records cost: a request that goes well and nobody asks about, and one that is recorded. */
import { DecisionRing } from '../../src/observability/decision_ring.ts';
import { requestRecord } from '../../test/observability/records.ts';

const ROUNDS = 2_000_000;
const FACTS = {
  failure: null,
  peerTrusted: false,
  clientSource: 'connection',
  connectionIp: '192.0.2.1',
  policy: 'random',
  rateLimits: [],
  head: null,
} as const;

function nanoseconds(times: number, run: () => void): string {
  const startedAtMs = performance.now();
  for (let at = 0; at < times; at++) run();
  return `${(((performance.now() - startedAtMs) * 1e6) / times).toFixed(1)} ns`;
}

const ring = new DecisionRing();
const well = requestRecord();
const failed = requestRecord({ reason: 'connect_refused', status: 502 });
for (let round = 0; round < 2; round++) {
  const asked = nanoseconds(ROUNDS, () => void ring.wants(well));
  const kept = nanoseconds(ROUNDS / 10, () => ring.add(failed, FACTS, '/', 0));
  if (round === 1)
    process.stdout.write(`a request that went well   ${asked}\na request that is recorded ${kept}\n`);
}
