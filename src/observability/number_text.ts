/** Numbers in lines for people. */

/** `1 request`, `3 requests`, `2 addresses`. */
export function counted(count: number, what: string): string {
  if (count === 1) return `1 ${what}`;
  return `${count} ${what}${what.endsWith('s') ? 'es' : 's'}`;
}

const PLURALS = { is: 'are', was: 'were' } as const;

/** `1 request was`, `3 requests were`. */
export function countedVerb(count: number, what: string, verb: keyof typeof PLURALS): string {
  return `${counted(count, what)} ${count === 1 ? verb : PLURALS[verb]}`;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** A duration that was measured: `0.3 ms`, `42 ms`, `1.25 s`, `3.0 min`. */
export function measured(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  return ms < MINUTE_MS ? `${(ms / SECOND_MS).toFixed(2)} s` : `${(ms / MINUTE_MS).toFixed(1)} min`;
}
