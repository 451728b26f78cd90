/** What the process can say of itself, at any moment of its life; it changes nothing. */
import { maskSecrets } from '../config/compile/freeze.ts';
import type { Plan } from '../config/plan.ts';
import type { PlaneRef } from '../http/data_plane.ts';
import type { PlanHistory } from '../lifecycle/plan_history.ts';
import type { ReloadResult, ReloadTrigger } from '../lifecycle/reload.ts';
import type { Runtime } from '../lifecycle/runtime_state.ts';
import type { ProcessPhase } from '../lifecycle/shutdown.ts';
import { readVersion } from '../lifecycle/version.ts';
import type { ProcessTelemetry } from '../observability/telemetry.ts';
import type { Overload } from '../resilience/overload.ts';
import { withoutSecretValues } from '../security/secrets.ts';
import { renderDecision } from './decision_text.ts';
import { type ExplainedDecision, explainDecision, listDecisions } from './decisions.ts';
import { explainOffline, readQuestion } from './explain.ts';
import type { Pulse } from './samples.ts';
import { describeStatus } from './status.ts';
import { renderLive, renderPage } from './status_page.ts';
import type { PageView } from './status_view.ts';
import type { AdminView, Readiness } from './view.ts';

/** On the status page. */
const FAILURES_SHOWN = 50;

/** The process as far as it is reported; what is a getter there changes. */
export interface Reported {
  readonly plan: Plan;
  readonly origins: ReadonlyMap<string, string>;
  /** Values of the environment, which are not shown. */
  readonly secrets: readonly string[];
  readonly phase: ProcessPhase;
  /** False after a rollback: the file holds another plan, which a reload or a restart would bring back. */
  readonly isFromFile: boolean;
  readonly lastReload: {
    readonly at: string;
    readonly trigger: ReloadTrigger;
    readonly result: ReloadResult;
  } | null;
  /** Of the listeners, as bound. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly planeRef: PlaneRef;
  readonly runtime: Runtime;
  readonly telemetry: ProcessTelemetry;
  readonly history: PlanHistory;
  readonly overload: Overload;
  readonly pulse: Pulse;
  readonly startedMs: number;
}

export class Report implements AdminView {
  readonly #process: Reported;

  constructor(process: Reported) {
    this.#process = process;
  }

  readiness(): Readiness {
    const { phase, plan, planeRef } = this.#process;
    const reasons: string[] = [];
    if (phase === 'starting') reasons.push('the process is starting');
    else if (phase !== 'serving') reasons.push('the process is shutting down');
    for (const { name } of Object.values(plan.clusters).filter(({ required }) => required)) {
      const pool = planeRef.current.clusters.get(name)?.pool;
      if (pool?.servingCount === 0) reasons.push(`the required cluster ${name} has no endpoint that serves`);
    }
    return { ready: reasons.length === 0, reasons };
  }

  status() {
    const { runtime, plan, history, telemetry, overload, pulse } = this.#process;
    const { clock, metrics } = runtime;
    const nowMs = clock.nowMs();
    return {
      version: readVersion(),
      phase: this.#process.phase,
      uptimeMs: Math.round(nowMs - this.#process.startedMs),
      plan: plan.digest,
      history: history.list(),
      lastReload: this.#process.lastReload,
      isFromFile: this.#process.isFromFile,
      readiness: this.readiness(),
      overload: overload.active,
      figures: metrics.figures.summary(nowMs),
      overheadMs: metrics.overheadFigures.summary(nowMs).p50Ms,
      samples: pulse.samples,
      failures: telemetry.decisions.failures(FAILURES_SHOWN),
      ...describeStatus(this.#process.planeRef, runtime, this.#process.addresses, nowMs),
    } satisfies PageView & Record<string, unknown>;
  }

  page(nonce: string): string {
    return renderPage(this.status(), nonce);
  }
  livePart(): string {
    return renderLive(this.status()).text;
  }
  metrics(accept: string) {
    return this.#process.runtime.metrics.scrape(accept);
  }
  plan(): Plan {
    return this.#hide(maskSecrets(this.#process.plan));
  }
  requests(query: Readonly<Record<string, unknown>>) {
    return listDecisions(this.#process.telemetry.decisions, query);
  }
  request(id: string): ExplainedDecision | null {
    const { telemetry, planeRef, history, runtime } = this.#process;
    const known = (digest: string) => {
      const found = history.find(digest);
      return typeof found === 'string' ? null : found;
    };
    return this.#hide(
      explainDecision(telemetry.decisions, id, planeRef.current, known, runtime.clock.nowMs()),
    );
  }
  requestText(id: string): string | null {
    const decision = this.request(id);
    return decision === null ? null : renderDecision(decision);
  }
  explain(query: Readonly<Record<string, unknown>>) {
    return this.#hide(explainOffline(this.#process.plan, this.#process.origins, readQuestion(query)));
  }

  #hide<T>(shown: T): T {
    return withoutSecretValues(shown, this.#process.secrets);
  }
}
