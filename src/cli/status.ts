/** `fairlead status`: what the running process says of itself, as a table that fits a terminal. */
import { setTimeout as wait } from 'node:timers/promises';
import { renderStatus, type Status } from '../admin/status_table.ts';
import type { AdminPlace } from './admin_client.ts';
import { EXIT } from './exit_codes.ts';
import { withAdmin } from './with_admin.ts';

const REFRESH_MS = 1_000;
/** ANSI: cursor home, and what is below it erased. */
const CLEAR = '\x1b[H\x1b[J';

interface StatusOptions {
  readonly json: boolean;
  readonly watch: boolean;
}

export function runStatus(place: AdminPlace, { json, watch }: StatusOptions): Promise<number> {
  return withAdmin(place, async admin => {
    for (;;) {
      const { status, body } = await admin.get('/status');
      if (status !== 200) {
        process.stderr.write(`fairlead: the admin API answered ${status}\n`);
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

/** What is not a terminal takes lines of any length; `COLUMNS` is the word of somebody who knows better. */
function widthOf({ isTTY, columns }: NodeJS.WriteStream): number {
  const wanted = Number(process.env['COLUMNS'] ?? Number.NaN);
  if (wanted > 0) return wanted;
  return isTTY ? columns : Number.POSITIVE_INFINITY;
}
