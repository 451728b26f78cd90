/** `fairlead status`: the state of the running process as a table that fits the terminal. */
import { setTimeout as wait } from 'node:timers/promises';
import { type Selection, selectStatus } from '../admin/status_selection.ts';
import { renderCluster, renderStatus, type Status } from '../admin/status_table.ts';
import type { Readiness } from '../lifecycle/readiness.ts';
import { wantsColor } from '../observability/terminal.ts';
import type { AdminTarget } from './admin_client.ts';
import { EXIT } from './exit_codes.ts';
import { withAdmin } from './with_admin.ts';

const REFRESH_MS = 1_000;
/** ANSI: moves the cursor home and erases everything below it. */
const CLEAR = '\x1b[H\x1b[J';

interface StatusOptions extends Selection {
  readonly json: boolean;
  readonly watch: boolean;
}

export function runStatus(place: AdminTarget, options: StatusOptions): Promise<number> {
  return withAdmin(place, async admin => {
    for (;;) {
      const { status, body } = await admin.get('/status');
      if (status !== 200) {
        process.stderr.write(`fairlead: the admin API returned status ${status}\n`);
        return EXIT.no;
      }
      const selected = selectStatus(body as Status, options);
      if (typeof selected === 'string') {
        process.stderr.write(`fairlead: ${selected}\n`);
        return EXIT.no;
      }
      const { stdout } = process;
      const text = options.json ? `${JSON.stringify(selected, null, 2)}\n` : textOf(selected, options);
      stdout.write(options.watch && stdout.isTTY ? `${CLEAR}${text}` : text);
      if (!options.watch) return EXIT.ok;
      await wait(REFRESH_MS);
    }
  });
}

function textOf(status: Status, { cluster }: Selection): string {
  const { stdout } = process;
  const color = stdout.isTTY === true && wantsColor(process.env);
  const style = { width: widthOf(stdout), color };
  const [one] = status.clusters;
  return cluster === null || one === undefined
    ? renderStatus(status, style)
    : renderCluster(status, one, style);
}

/** `fairlead status --ready`, for a health check such as Docker's HEALTHCHECK: an exit code, and a line with the reason. */
export function runReady(target: AdminTarget): Promise<number> {
  return withAdmin(target, async admin => {
    const { status, body } = await admin.get('/readyz');
    if (status === 200) {
      process.stdout.write('ready\n');
      return EXIT.ok;
    }
    const reasons = (body as Partial<Readiness> | null)?.reasons ?? [`status ${status}`];
    process.stdout.write(`not ready: ${reasons.join('; ')}\n`);
    return EXIT.no;
  });
}

/** Columns to fill. Output that is no terminal may have lines of any length; `COLUMNS` overrides both. */
function widthOf({ isTTY, columns }: NodeJS.WriteStream): number {
  const wanted = Number(process.env['COLUMNS'] ?? Number.NaN);
  if (wanted > 0) return wanted;
  return isTTY ? columns : Number.POSITIVE_INFINITY;
}
