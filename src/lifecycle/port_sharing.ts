/**
 * Warns if the kernel does not move waiting connections from one process to the next on a shared port
 * (`listeners.*.reusePort`).
 *
 * With SO_REUSEPORT the kernel assigns each new connection to one of the sockets before it is accepted. Connections
 * that wait at a socket when it closes are reset, unless `net.ipv4.tcp_migrate_req` is 1 (Linux 5.14, ip-sysctl.rst):
 * then they go to another socket of the port. Accepting everything before closing (`net/listener.ts`) makes that rare
 * but cannot exclude it; docs/operations.md has measurements.
 */
import { readFileSync } from 'node:fs';
import type { Plan } from '../config/plan.ts';

const MIGRATE_REQUESTS = '/proc/sys/net/ipv4/tcp_migrate_req';

export class PortSharing {
  readonly #warn: (message: string) => void;
  readonly #file: string;
  #warned: string | null = null;

  constructor(warn: (message: string) => void, file = MIGRATE_REQUESTS) {
    this.#warn = warn;
    this.#file = file;
  }

  /** Called at the start and with every plan. The same warning is not repeated. */
  apply(plan: Plan): void {
    const names = Object.values(plan.listeners).flatMap(({ name, reusePort }) => (reusePort ? [name] : []));
    const warning = names.length === 0 ? null : portSharingWarning(names, readSetting(this.#file));
    if (warning !== null && warning !== this.#warned) this.#warn(warning);
    this.#warned = warning;
  }
}

/** Null: the kernel moves them. `setting` null: this kernel does not know the setting. */
function portSharingWarning(names: readonly string[], setting: string | null): string | null {
  if (setting === '1') return null;
  const advice =
    setting === null
      ? 'this kernel cannot move them (Linux 5.14 can); socket activation loses none'
      : 'set sysctl net.ipv4.tcp_migrate_req=1, or use socket activation';
  return (
    `listeners.${names.join(', ')}: reusePort is on, and when one of the processes on the port stops, connections that ` +
    `it has not accepted yet may be reset; ${advice}`
  );
}

function readSetting(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}
