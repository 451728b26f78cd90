/** `fairlead reload`, `rollback` and `drain`, through the admin API of the running process. */

import { describeChange } from '../config/diff.ts';
import type { ReloadResult } from '../lifecycle/reload.ts';
import type { AppliedChanges } from '../lifecycle/touched_traffic.ts';
import type { AdminResponse, AdminTarget } from './admin_client.ts';
import { EXIT } from './exit_codes.ts';
import { refusedBy, withAdmin } from './with_admin.ts';

export function runReload(target: AdminTarget): Promise<number> {
  return withAdmin(target, async admin => printOutcome(await admin.post('/reload')));
}

export function runRollback(target: AdminTarget, digest: string | undefined): Promise<number> {
  return withAdmin(target, async admin => {
    const code = printOutcome(await admin.post('/rollback', digest === undefined ? {} : { digest }));
    if (code === EXIT.ok)
      process.stdout.write(
        'the configuration file still has the newer plan: fix it before the next reload or restart\n',
      );
    return code;
  });
}

export function runDrain(target: AdminTarget): Promise<number> {
  return withAdmin(target, async admin => {
    const { status, body } = await admin.post('/drain');
    if (status !== 202) return refusedBy(body);
    process.stdout.write('draining: requests in flight will finish, then the process exits\n');
    return EXIT.ok;
  });
}

function printOutcome({ status, body }: AdminResponse): number {
  if (status !== 200 && status !== 422) return refusedBy(body);
  const result = body as ReloadResult;
  const digest = result.digest.slice(0, 12);
  switch (result.kind) {
    case 'applied':
      process.stdout.write(`now running plan ${digest}\n${changesText(result.changes)}`);
      return EXIT.ok;
    case 'unchanged':
      process.stdout.write(`already running plan ${digest}\n`);
      return EXIT.ok;
    case 'rejected':
      process.stderr.write(
        `fairlead: rejected; still running plan ${digest}\n${result.problems.join('\n')}\n`,
      );
      return EXIT.no;
  }
}

function changesText({ total, first }: AppliedChanges): string {
  const lines = first.map(change => {
    const traffic = change.perSecond === null ? '' : `  (${change.perSecond} requests/s)`;
    return `  ${describeChange(change)}${traffic}\n`;
  });
  const more = total > first.length ? `  and ${total - first.length} more changes\n` : '';
  return `${lines.join('')}${more}`;
}
