/** Which signals another process catches, from outside: one that comes before its handler ends the process, or is lost. */
import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

/** Bits of `SigCgt` in /proc/PID/status. */
export const SIGUSR1 = 1n << 9n;
export const SIGUSR2 = 1n << 11n;

/** As soon as the process catches the signal. The product installs SIGUSR2 last: who catches that one catches all. */
export async function catches(pid: number | undefined, bit: bigint): Promise<void> {
  for (;;) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    if ((BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(status)?.[1] ?? 0}`) & bit) !== 0n) return;
    await turn();
  }
}
