/** The operator's side of a running process: what it shows, what can be set in motion, and the API that carries both. */
import type { AdminSide, ProcessView } from '../lifecycle/process_view.ts';
import type { DrainResult } from '../lifecycle/shutdown.ts';
import { bindAdvice } from '../net/bind.ts';
import { formatAddress } from '../net/endpoint.ts';
import { openAdminApi } from './api.ts';
import { Operator } from './operator.ts';
import { Report } from './report.ts';
import { Samples } from './samples.ts';
import type { AdminActions } from './view.ts';

export class Admin implements AdminSide {
  readonly report: Report;
  readonly #process: ProcessView;
  readonly #samples: Samples;
  readonly #operator: Operator;
  #api: Awaited<ReturnType<typeof openAdminApi>> | null = null;

  constructor(process: ProcessView) {
    const { clock, traffic, metrics } = process.runtime;
    this.#process = process;
    this.#samples = new Samples(traffic, metrics.figures, metrics.overheadFigures, clock);
    this.#operator = new Operator(process.running, process.runtime.telemetry, clock);
    this.report = new Report(process, this.#samples);
  }

  /** The address that the admin API listens on; null while it is off. */
  get address(): string | null {
    return this.#api?.address ?? null;
  }

  async open(): Promise<readonly string[]> {
    const { address, token } = this.#process.running.current.loaded.plan.admin;
    if (address === null) return [];
    if (address.kind === 'fd') return ['admin.address: fd: addresses are not supported for the admin API'];
    try {
      const { clock } = this.#process.runtime;
      this.#api = await openAdminApi(address, token, clock, this.report, this.#actions());
      return [];
    } catch (error) {
      return [`admin API: cannot listen on ${formatAddress(address)}: ${bindAdvice(error)}`];
    }
  }

  async close(result: DrainResult): Promise<void> {
    this.#samples.dispose();
    this.#operator.dispose();
    await this.#api?.close(result);
  }

  #actions(): AdminActions {
    const process = this.#process;
    const operator = this.#operator;
    return {
      reload: () => process.reload('admin'),
      rollback: digest => process.rollback(digest),
      drain: () => void process.drain('the admin API'),
      setLogLevel: (level, forMs) => operator.setLogLevel(level, forMs),
      setEndpoint: (cluster, endpoint, action) => operator.setEndpoint(cluster, endpoint, action),
      audit: entry => process.runtime.telemetry.emit({ kind: 'audit', ...entry }),
    };
  }
}
