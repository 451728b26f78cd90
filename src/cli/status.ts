/** `fairlead status`: the state of the running process as a table that fits the terminal. */
import { setTimeout as wait } from 'node:timers/promises';
import { renderStatus, type Status } from '../admin/status_table.ts';
import type { Readiness } from '../lifecycle/readiness.ts';
import type { AdminTarget } from './admin_client.ts';
import { EXIT } from './exit_codes.ts';
import { withAdmin } from './with_admin.ts';

const REFRESH_MS = 1_000;
/** ANSI: moves the cursor home and erases everything below it. */
const CLEAR = '\x1b[H\x1b[J';

interface StatusOptions {
  readonly json: boolean;
  readonly watch: boolean;
}

export function runStatus(place: AdminTarget, { json, watch }: StatusOptions): Promise<number> {
  return withAdmin(place, async admin => {
    for (;;) {
      const { status, body } = await admin.get('/status');
      if (status !== 200) {
        process.stderr.write(`fairlead: the admin API returned status ${status}\n`);
        return EXIT.no;
      }
      const { stdout } = process;
      const isTerminal = stdout.isTTY === true;
      const color = isTerminal && (process.env['NO_COLOR'] ?? '') === '';
      const text = json
        ? `${JSON.stringify(body, null, 2)}\n`
        : renderStatus(body as Status, widthOf(stdout), color);
      stdout.write(watch && isTerminal ? `${CLEAR}${text}` : text);
      if (!watch) return EXIT.ok;
      await wait(REFRESH_MS);
    }
  });
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
