/** Everything that the admin API shows of the process. Reading changes nothing. */

import { hostname } from 'node:os';
import type { Plan } from '../config/plan.ts';
import { maskSecrets } from '../config/shown_plan.ts';
import type { DrainView } from '../lifecycle/drain_progress.ts';
import type { ProcessView } from '../lifecycle/process_view.ts';
import type { Readiness } from '../lifecycle/readiness.ts';
import { readVersion } from '../lifecycle/version.ts';
import { withoutSecretValues } from '../security/secrets.ts';
import type { AdminView } from './admin_interfaces.ts';
import { type ExplainedDecision, explainDecision, listDecisions } from './decision_view.ts';
import { explainOffline } from './explain.ts';
import { readQuestion } from './explain_question.ts';
import { groupFailures } from './failure_groups.ts';
import { renderRecordPage } from './record_page.ts';
import type { Samples } from './samples.ts';
import { describeStatus } from './status.ts';
import { StatusPage } from './status_page.ts';
import { problemsOf } from './status_problems.ts';
import { limitsOf, loadOf } from './status_recent.ts';
import type { PageView } from './status_view.ts';

/** Number of failures in `/status`. The page groups all that are kept. */
const FAILURES_SHOWN = 50;

export class AdminViews implements AdminView {
  readonly #process: ProcessView;
  readonly #samples: Samples;

  constructor(process: ProcessView, samples: Samples) {
    this.#process = process;
    this.#samples = samples;
  }

  readiness(): Readiness {
    return this.#process.readiness();
  }

  drainView(): DrainView {
    return this.#process.drainView();
  }

  /** `/status`: the view of the page, and its problems. */
  status() {
    const { failureGroups, ...view } = this.#view();
    return {
      ...view,
      failures: this.#process.runtime.telemetry.decisions.failures(FAILURES_SHOWN),
      failureGroups: failureGroups.map(({ newest: _newest, ...group }) => group),
      problems: problemsOf({ ...view, failureGroups }),
    };
  }

  #view() {
    const { running, runtime, history, overload, startedAtMs, certificates, instanceId } = this.#process;
    const { clock, metrics, telemetry } = runtime;
    const { plan } = running.current.loaded;
    const nowMs = clock.nowMs();
    return {
      host: hostname(),
      pid: process.pid,
      instance: instanceId,
      version: readVersion(),
      phase: this.#process.phase,
      uptimeMs: Math.round(nowMs - startedAtMs),
      plan: running.current.loaded.plan.digest,
      history: history.list(),
      lastReload: this.#process.lastReload,
      isFromFile: history.isFromFile,
      readiness: this.readiness(),
      drain: this.#drainOrNull(),
      overload: overload.active,
      certificates: certificates.map(({ listener, subject, notAfterAtMs }) => ({
        listener,
        subject,
        notAfter: new Date(notAfterAtMs).toISOString(),
        leftMs: notAfterAtMs - clock.wallMs(),
      })),
      figures: metrics.stats.summary(nowMs),
      overheadMs: metrics.overheadStats.summary(nowMs).p50Ms,
      samples: this.#samples.all,
      failureGroups: groupFailures(telemetry.decisions.failures(Number.POSITIVE_INFINITY), clock.wallMs()),
      limits: limitsOf(plan, runtime),
      load: loadOf(this.#samples.all, plan),
      ...describeStatus(running.current.plane, runtime, this.#process.addresses, nowMs),
    } satisfies PageView & Record<string, unknown>;
  }

  page(): StatusPage {
    return new StatusPage(this.#view());
  }
  metrics(accept: string) {
    return this.#process.runtime.metrics.scrape(accept);
  }
  plan(): Plan {
    return this.#hide(maskSecrets(this.#loaded.plan));
  }
  requests(query: Readonly<Record<string, unknown>>) {
    return listDecisions(this.#process.runtime.telemetry.decisions, query);
  }
  request(id: string): ExplainedDecision | null {
    const { running, history, runtime } = this.#process;
    const known = (digest: string) => {
      const found = history.find(digest);
      return typeof found === 'string' ? null : found;
    };
    return this.#hide(
      explainDecision(runtime.telemetry.decisions, id, running.current.plane, known, runtime.clock.nowMs()),
    );
  }
  recordPage(id: string, nonce: string): string {
    return renderRecordPage(this.request(id), nonce);
  }
  explain(query: Readonly<Record<string, unknown>>) {
    const { plan, origins } = this.#loaded;
    return this.#hide(explainOffline(plan, origins, readQuestion(query)));
  }

  /** Null while the process serves. */
  #drainOrNull(): DrainView | null {
    const view = this.drainView();
    return view.cause === null ? null : view;
  }

  get #loaded() {
    return this.#process.running.current.loaded;
  }

  #hide<T>(shown: T): T {
    return withoutSecretValues(shown, this.#loaded.secrets);
  }
}
