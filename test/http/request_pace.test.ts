// Each direction has its own minimum, and only the time of the client counts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PacedRequest, RequestPace } from '../../src/http/request_pace.ts';
import type { RouteLimits } from '../../src/routing/route.ts';

const LIMITS = {
  uploadBytesPerSecondMin: 100,
  downloadBytesPerSecondMin: 100,
  rateGraceMs: 5_000,
} as RouteLimits;
const QUIET: PacedRequest = {
  waitsForBody: false,
  bytesIn: 0,
  takenBytes: 0,
  waitsForReader: false,
  connectionTakenBytes: 0,
};

/** Looked at each second: which rate was missed, and in which second. */
function watch(
  at: (second: number) => Partial<PacedRequest>,
  limits: Partial<RouteLimits> = {},
  seconds = 100,
): string | null {
  const pace = new RequestPace();
  for (let second = 0; second < seconds; second++) {
    const timer = pace.look({ ...QUIET, ...at(second) }, { ...LIMITS, ...limits }, second * 1_000);
    if (timer !== null) return `${timer} ${second}`;
  }
  return null;
}

test('a body that drips is given up, and one that is not waited for is not', () => {
  assert.equal(
    watch(second => ({ waitsForBody: true, bytesIn: second })),
    'minUploadRate 6',
  );
  assert.equal(
    watch(second => ({ bytesIn: second })),
    null,
  );
  assert.equal(
    watch(() => ({ waitsForBody: true }), { uploadBytesPerSecondMin: null }),
    null,
  );
});

test('the time begins with the first look at which the client is waited for', () => {
  assert.equal(
    watch(second => ({ waitsForBody: second >= 50 })),
    'minUploadRate 56',
  );
});

test('a response that the client takes in drips is given up; one whose backend is slow is not', () => {
  assert.equal(
    watch(second => ({ waitsForReader: true, takenBytes: second })),
    'minDownloadRate 6',
  );
  assert.equal(
    watch(second => ({ takenBytes: second })),
    null,
  );
  assert.equal(
    watch(() => ({ waitsForReader: true }), { downloadBytesPerSecondMin: null }),
    null,
  );
});

test('what the connection has taken for other streams counts, and what went back and forth on it does not', () => {
  assert.equal(
    watch(second => ({ waitsForReader: true, connectionTakenBytes: 100 * second })),
    null,
  );
  assert.equal(
    watch(second => ({ waitsForReader: true, connectionTakenBytes: second % 2 === 0 ? 0 : 1_000 })),
    'minDownloadRate 7',
    'only the first time',
  );
});
