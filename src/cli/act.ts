/** `fairlead reload`, `rollback`, `drain` and `endpoint`, through the admin API of the running process. */

import type { DrainEnd } from '../admin/drain_stream.ts';
import type { Status } from '../admin/status_table.ts';
import { describeChange } from '../config/diff.ts';
import { type DrainView, describeDrain } from '../lifecycle/drain_progress.ts';
import type { ReloadResult } from '../lifecycle/reload.ts';
import type { AppliedChanges } from '../lifecycle/touched_traffic.ts';
import type { AdminClient, AdminResponse, AdminTarget } from './admin_client.ts';
import { confirm, isTerminal } from './confirm.ts';
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

interface DrainOptions {
  readonly watch: boolean;
  /** Do not ask. */
  readonly yes: boolean;
}

/** Asks a person at a terminal first, because it ends the process; a script is not asked. */
export function runDrain(target: AdminTarget, { watch, yes }: DrainOptions): Promise<number> {
  return withAdmin(target, async admin => {
    if (!yes && isTerminal(process.stdin, process.stderr)) {
      const question = drainQuestion((await admin.get('/status')).body as Partial<Status>, watch);
      if (question !== null && !(await confirm(question, process.stdin, process.stderr))) {
        process.stderr.write('fairlead: nothing was done\n');
        return EXIT.no;
      }
    }
    if (watch) return watchDrain(admin);
    const { status, body } = await admin.post('/drain');
    if (status !== 202) return refusedBy(body);
    process.stdout.write('draining: requests in flight will finish, then the process exits\n');
    return EXIT.ok;
  });
}

/** Null: nothing to ask, because it would only be watched. A process that is older than the command does not tell its id. */
export function drainQuestion({ phase, pid, requests }: Partial<Status>, watch: boolean): string | null {
  const which = pid === undefined ? 'the running process' : `process ${pid}`;
  const count = (requests?.active ?? 0) + (requests?.tunnels ?? 0);
  if (phase === undefined || phase === 'serving')
    return `This ends ${which} once its requests have finished (${count} in flight). Continue? [y/N] `;
  return watch
    ? null
    : `This ends ${which} at once: it drains already, and ${count} in flight would be cut. Continue? [y/N] `;
}

/** `fairlead endpoint drain|ready CLUSTER ENDPOINT`. */
export function runEndpoint(
  target: AdminTarget,
  action: 'drain' | 'ready',
  cluster: string,
  endpoint: string,
): Promise<number> {
  return withAdmin(target, async admin => {
    const path = `/clusters/${encodeURIComponent(cluster)}/endpoints/${encodeURIComponent(endpoint)}`;
    const { status, body } = await admin.post(path, { action });
    if (status !== 200) return refusedBy(body);
    const { done, warning } = body as { readonly done: string; readonly warning?: string };
    process.stdout.write(`${done}\n`);
    if (warning !== undefined) process.stderr.write(`fairlead: warning: ${warning}\n`);
    return EXIT.ok;
  });
}

/**
 * Prints the progress of the drain until the process has ended. A drain in progress is only watched: a second request
 * for it would force the end.
 */
async function watchDrain(admin: AdminClient): Promise<number> {
  let asked: Promise<AdminResponse> | null = null;
  let end: DrainEnd | null = null;
  await admin.lines('/drain/progress', line => {
    const { phase } = line as { readonly phase: string };
    if (phase === 'stopped') end = line as DrainEnd;
    else if (phase === 'serving') {
      asked ??= admin.post('/drain');
      asked.catch(() => {}); // it is awaited below, after the last line
    } else process.stdout.write(`${describeDrain(line as DrainView)}\n`);
  });
  return printEnd(end, await (asked as Promise<AdminResponse> | null));
}

function printEnd(end: DrainEnd | null, asked: AdminResponse | null): number {
  if (asked !== null && asked.status !== 202) return refusedBy(asked.body);
  switch (end?.result) {
    case 'clean':
      process.stdout.write('stopped: every request was finished\n');
      return EXIT.ok;
    case 'forced':
      process.stdout.write('stopped by force; the event requests_cut in the log says what was cut\n');
      return EXIT.no;
    case undefined:
      process.stderr.write('fairlead: the process was killed before its drain was over\n');
      return EXIT.no;
  }
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
  const more = total > first.length ? `  and ${total - first.length} more\n` : '';
  return `${lines.join('')}${more}`;
}
