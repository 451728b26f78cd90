/** Runs `use` with a client for the running process; an unreachable admin API is printed and gives `EXIT.no`. */

import { type AdminClient, type AdminTarget, AdminUnreachable, findAdmin } from './admin_client.ts';
import { EXIT } from './exit_codes.ts';

export async function withAdmin(
  target: AdminTarget,
  use: (admin: AdminClient) => Promise<number>,
): Promise<number> {
  const admin = findAdmin(target);
  if (typeof admin === 'number') return admin;
  try {
    return await use(admin);
  } catch (error) {
    if (!(error instanceof AdminUnreachable)) throw error;
    process.stderr.write(`fairlead: ${error.message}\n`);
    return EXIT.no;
  }
}

/** Prints why the admin API has refused. */
export function refusedBy(body: unknown): number {
  const error =
    typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : String(body);
  process.stderr.write(`fairlead: ${error}\n`);
  return EXIT.no;
}
