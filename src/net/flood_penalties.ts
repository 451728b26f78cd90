/**
 * Clients whose connections were cut because of what they sent, and who come back at once. A new connection costs them
 * nothing, and each one holds up the event loop until the flood on it is seen. So a client that was cut often gets no new
 * connections for a while.
 *
 *   new ──(CUTS_MAX cuts in `penaltyMs`)──> refused ──(its penalty without a cut)──> on probation
 *                                              ^                                         │ one cut
 *                                              └───────── with twice the penalty ────────┤
 *   forgotten <──(PROBATION_PENALTIES times its penalty without a cut)───────────────────┘
 *
 * The table is bounded: when it is full, the client whose last cut is oldest is forgotten.
 */

/** More than a broken client or the neighbours behind one address have within seconds, less than an attack in its first one. */
export const CUTS_MAX = 32;
const PROBATION_PENALTIES = 6;
/** The longest penalty is 64 times the shortest. */
const DOUBLINGS_MAX = 6;
const CLIENTS_MAX = 4_096;

interface Client {
  readonly cuts: number;
  /** How often its penalty has been doubled. */
  readonly doublings: number;
  /** In monotonic milliseconds. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

export class FloodPenalties {
  /** In the order of the last cut. */
  readonly #clients = new Map<string, Client>();

  /** Counts a cut. Returns whether the client is refused now. */
  note(key: string, penaltyMs: number, nowMs: number): boolean {
    const known = this.#clients.get(key);
    this.#clients.delete(key);
    if (known === undefined && this.#clients.size >= CLIENTS_MAX)
      this.#clients.delete(this.#clients.keys().next().value ?? '');
    const client = afterCut(known, penaltyMs, nowMs);
    this.#clients.set(key, client);
    return client.cuts >= CUTS_MAX;
  }

  isRefused(key: string, penaltyMs: number, nowMs: number): boolean {
    const client = this.#clients.get(key);
    return client !== undefined && isRefused(client, penaltyMs, nowMs);
  }
}

function afterCut(known: Client | undefined, penaltyMs: number, nowMs: number): Client {
  if (known === undefined || isForgotten(known, penaltyMs, nowMs))
    return { cuts: 1, doublings: 0, firstAtMs: nowMs, lastAtMs: nowMs };
  const isAgain = known.cuts >= CUTS_MAX && !isRefused(known, penaltyMs, nowMs);
  const doublings = isAgain ? Math.min(known.doublings + 1, DOUBLINGS_MAX) : known.doublings;
  return { ...known, cuts: known.cuts + 1, doublings, lastAtMs: nowMs };
}

function isRefused(client: Client, penaltyMs: number, nowMs: number): boolean {
  return client.cuts >= CUTS_MAX && nowMs - client.lastAtMs < penaltyOf(client, penaltyMs);
}

function isForgotten(client: Client, penaltyMs: number, nowMs: number): boolean {
  if (client.cuts < CUTS_MAX) return nowMs - client.firstAtMs >= penaltyMs;
  return nowMs - client.lastAtMs >= PROBATION_PENALTIES * penaltyOf(client, penaltyMs);
}

function penaltyOf({ doublings }: Client, penaltyMs: number): number {
  return penaltyMs * 2 ** doublings;
}
