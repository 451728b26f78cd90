/** Everyone who reaches the admin API can reload and drain, so beyond this machine it needs a token. */
import { isLoopback, parseAddress } from '../../net/address.ts';
import type { Relations } from './relations.ts';

export function checkAdmin({ config: { admin }, document, report }: Relations): void {
  if (typeof admin !== 'object' || admin.token !== undefined || admin.address === undefined) return;
  const address = parseAddress(admin.address);
  if (typeof address === 'string' || isLoopback(address)) return;
  report(
    ['admin', 'address'],
    `the admin API at ${document.at(['admin', 'address'])} is reachable from other machines but has no token; add admin.token, or listen on 127.0.0.1 or a Unix socket`,
  );
}
