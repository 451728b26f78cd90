/**
 * Binds a listener to an address: TCP, a Unix socket, or a descriptor that a service manager has opened. An error
 * message says what to do about it.
 */
import { lstatSync, unlinkSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { type Address, formatAddress } from './address.ts';
import { inheritedDescriptor } from './listen/socket_activation.ts';
import { findPortHolder } from './port_holder.ts';

/** Length of the kernel's queue of connections while the event loop is busy; the kernel limits it to net.core.somaxconn. */
const BACKLOG = 4_096;

type Environment = Readonly<Record<string, string | undefined>>;

/** Resolves when the server listens. Rejects with an error whose message is the reason and the advice. */
export async function bind(
  server: net.Server,
  address: Address,
  env: Environment,
  reusePort = false,
): Promise<void> {
  try {
    await listen(server, address, env, reusePort);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE' && address.kind === 'unix' && (await removeStaleSocket(address.path))) {
      await bind(server, address, env);
      return;
    }
    // A machine without IPv6: all its addresses are those of IPv4. Go and Node do the same when no host is named.
    if (
      (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL') &&
      address.kind === 'tcp' &&
      address.host === '::'
    ) {
      await bind(server, { ...address, host: '0.0.0.0' }, env, reusePort);
      return;
    }
    const advice = await bindAdvice(error, address);
    throw new Error(`cannot listen on ${formatAddress(address)}: ${advice}`, { cause: error });
  }
}

/** The address that the server listens on, with the real port if 0 was requested. */
export function boundAddress(server: net.Server, asked: Address): string {
  const bound = server.address() as AddressInfo | string | null;
  if (bound === null || typeof bound === 'string') return formatAddress(asked);
  return formatAddress({ kind: 'tcp', host: bound.address, port: bound.port });
}

function listen(server: net.Server, address: Address, env: Environment, reusePort: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const onListening = (): void => {
      server.off('error', reject);
      resolve();
    };
    server.once('error', reject);
    switch (address.kind) {
      case 'tcp':
        server.listen({ host: address.host, port: address.port, backlog: BACKLOG, reusePort }, onListening);
        return;
      case 'unix':
        server.listen({ path: address.path, backlog: BACKLOG }, onListening);
        return;
      case 'fd': {
        const fd = inheritedDescriptor(address.name, env, process.pid);
        if (typeof fd === 'string') reject(new Error(fd));
        else server.listen({ fd }, onListening);
      }
    }
  });
}

/** Why an address cannot be listened on, and what to do about it. */
export async function bindAdvice(error: unknown, address: Address): Promise<string> {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'EADDRINUSE':
      return `${await holderOf(address)}; stop that process or choose another address`;
    case 'EACCES':
      return 'permission denied; ports below 1024 need CAP_NET_BIND_SERVICE or socket activation, a Unix socket needs a writable directory';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    case 'ENOENT':
      return 'the directory of the socket does not exist';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

async function holderOf(address: Address): Promise<string> {
  const holder = await findPortHolder(address);
  if (holder === null) return 'another process uses it (see ss -ltnp or ss -lxp)';
  if (holder.pid === process.pid) return 'this process uses it already';
  return `in use by ${holder.command} (pid ${holder.pid})`;
}

/**
 * Removes a socket file that a dead process left behind: nobody answers on it. The kernel refuses a connection to a
 * regular file with the same ECONNREFUSED, so the type of the file is checked first: data is never deleted here.
 * Returns whether a file was removed.
 */
export async function removeStaleSocket(path: string): Promise<boolean> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  const isStale = await new Promise<boolean>(resolve => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', error => resolve('code' in error && error.code === 'ECONNREFUSED'));
  });
  if (isStale) unlinkSync(path);
  return isStale;
}
