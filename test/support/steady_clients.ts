/** Clients whom a restart must not trouble: a steady load of requests on kept connections, and one on new ones. */
import { type Sent, SteadyLoad } from './steady_load.ts';

const PER_SECOND = 100;
/** Answers of each load that `goOn` waits for. */
const BETWEEN = 60;

export class SteadyClients {
  readonly #loads: readonly SteadyLoad[];

  constructor(port: number) {
    this.#loads = [false, true].map(fresh => new SteadyLoad(port, { perSecond: PER_SECOND, fresh }));
  }
  async goOn(): Promise<void> {
    await Promise.all(this.#loads.map(load => load.answered(BETWEEN)));
  }
  /** What was refused, reset, cut, or answered with another status than 200, counted by kind. */
  async stop(): Promise<{ readonly answered: number; readonly failures: Readonly<Record<string, number>> }> {
    const sent = (await Promise.all(this.#loads.map(load => load.stop()))).flat();
    return { answered: sent.length, failures: failuresOf(sent) };
  }
}

function failuresOf(sent: readonly Sent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, text } of sent) {
    if (status === 200) continue;
    const what = `${status} ${text.slice(0, 80)}`;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

/** Clients with kept connections hear `Connection: close` in this time, because each sends more often. */
export const DRAIN_IN_STEPS = { drain: { delay: '500ms', timeout: '20s' } };
