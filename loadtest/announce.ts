/**
 * What every child process of the load test does: it says its port in one line of stdout, and it ends when whoever
 * started it closes its stdin or goes away, so that an aborted run leaves nothing behind.
 */
import type { Server } from 'node:net';

export function announcePort(port: number, end: () => void = () => process.exit(0)): void {
  process.stdin.on('end', end).on('error', end).resume();
  process.on('SIGTERM', end).on('SIGINT', end);
  process.stdout.write(`port ${port}\n`);
}

/** For a peer that cannot run here, for example because its program is not installed. */
export function announceAbsence(reason: string): void {
  process.stdout.write(`absent ${reason}\n`);
}

export function listenOnLoopback(server: Server, backlog = 511): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1', backlog }, () => resolve(portOf(server)));
  });
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/** The port of the backend, which every peer gets as its only argument. */
export function backendPort(): number {
  const port = Number(process.argv[2]);
  if (!Number.isInteger(port) || port <= 0) throw new Error('usage: PEER BACKEND_PORT');
  return port;
}
