/** `fairlead explain --request ID`: what happened to a request in the running process, and why. */

import type { ExplainedDecision } from '../admin/decision_view.ts';
import { renderDecision } from '../admin/decision_view_text.ts';
import type { AdminTarget } from './admin_client.ts';
import { EXIT } from './exit_codes.ts';
import { withAdmin } from './with_admin.ts';

export function runExplainRequest(place: AdminTarget, id: string, json: boolean): Promise<number> {
  return withAdmin(place, async admin => {
    const { status, body } = await admin.get(`/requests/${encodeURIComponent(id)}`);
    if (status !== 200) {
      process.stderr.write(`fairlead: ${id}: ${(body as { error?: string }).error ?? `status ${status}`}\n`);
      return EXIT.no;
    }
    process.stdout.write(
      json ? `${JSON.stringify(body, null, 2)}\n` : renderDecision(completed(body as OlderDecision)),
    );
    return EXIT.ok;
  });
}

type OlderDecision = Omit<ExplainedDecision, 'hints' | 'settings' | 'limits' | 'elsewhere'> &
  Partial<Pick<ExplainedDecision, 'hints' | 'settings' | 'limits' | 'elsewhere'>>;

/** Between an upgrade and the restart the process is of an earlier version, which does not send all of it. */
function completed(body: OlderDecision): ExplainedDecision {
  const limits = (body.limits ?? []).map(limit => ({
    ...limit,
    group: limit.group ?? 'limits',
    key: limit.key ?? limit.name,
    text: limit.text ?? String(limit.value ?? 'off'),
  }));
  return {
    ...body,
    limits,
    hints: body.hints ?? [],
    settings: body.settings ?? [],
    elsewhere: body.elsewhere ?? null,
  };
}
