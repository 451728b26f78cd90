/** The admin side of a running process: views, actions, and the API that carries both. */
import type { AdminSide, ProcessView } from '../lifecycle/process_view.ts';
import type { DrainResult } from '../lifecycle/shutdown.ts';
import { readVersion } from '../lifecycle/version.ts';
import { formatAddress } from '../net/address.ts';
import { bindAdvice } from '../net/bind.ts';
import { runInSlices } from '../resilience/time_slices.ts';
import type { AdminActions } from './admin_interfaces.ts';
import { AdminViews } from './admin_views.ts';
import { RuntimeActions } from './runtime_actions.ts';
import { Samples } from './samples.ts';
import { type ShadowRequest, type ShadowResult, shadowCheck } from './shadow_check.ts';

type OpenAdminApi = typeof import('./api.ts').openAdminApi;

export class Admin implements AdminSide {
  readonly views: AdminViews;
  readonly #process: ProcessView;
  readonly #samples: Samples;
  readonly #runtimeActions: RuntimeActions;
  #api: Awaited<ReturnType<OpenAdminApi>> | null = null;

  constructor(process: ProcessView) {
    const { clock, traffic, metrics } = process.runtime;
    this.#process = process;
    this.#samples = new Samples(traffic, metrics.stats, metrics.overheadStats, clock);
    this.#runtimeActions = new RuntimeActions(process.running, process.runtime.telemetry, clock);
    this.views = new AdminViews(process, this.#samples);
  }

  /** The address that the admin API listens on; null while it is off. */
  get address(): string | null {
    return this.#api?.address ?? null;
  }

  async open(): Promise<readonly string[]> {
    const { address, token } = this.#process.running.current.loaded.plan.admin;
    if (address === null) return [];
    if (address.kind === 'fd') return ['admin.address: fd: addresses are not supported for the admin API'];
    const { openAdminApi } = await import('./api.ts'); // a process without the admin API loads no Fastify
    try {
      const { clock } = this.#process.runtime;
      this.#api = await openAdminApi(address, token, clock, this.views, this.#actions());
      return [];
    } catch (error) {
      return [`admin API: cannot listen on ${formatAddress(address)}: ${await bindAdvice(error, address)}`];
    }
  }

  async close(result: DrainResult): Promise<void> {
    this.#samples.dispose();
    this.#runtimeActions.dispose();
    await this.#api?.close(result);
  }

  async #shadowCheck(next: unknown): Promise<ShadowResult | string> {
    const { running, runtime } = this.#process;
    const { version } = next as ShadowRequest;
    if (version !== readVersion())
      return `the running process is version ${readVersion()}, the command is ${String(version)}; use the same one`;
    try {
      const { plan } = running.current.loaded;
      return await runInSlices(
        shadowCheck(runtime.telemetry.decisions, plan, next as ShadowRequest),
        runtime.clock,
      );
    } catch (error) {
      return `not the routes of a configuration: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  #actions(): AdminActions {
    const process = this.#process;
    const actions = this.#runtimeActions;
    return {
      reload: () => process.reload('admin'),
      rollback: digest => process.rollback(digest),
      drain: () => void process.drain('the admin API'),
      setLogLevel: (level, forMs) => actions.setLogLevel(level, forMs),
      shadowCheck: next => this.#shadowCheck(next),
      setEndpoint: (cluster, endpoint, action) => actions.setEndpoint(cluster, endpoint, action),
      drainQuestion: (cluster, endpoint) => actions.drainQuestion(cluster, endpoint),
      audit: entry => process.runtime.telemetry.emit({ kind: 'audit', ...entry }),
    };
  }
}
