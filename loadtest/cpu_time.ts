/** CPU time of a process and everything under it, from /proc. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface CpuTime {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** The live processes that were added up: if these change, a difference of two times means nothing. */
  readonly pids: readonly number[];
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly userTicks: number;
  readonly systemTicks: number;
}

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
export const TICK_SECONDS = 1 / TICKS_PER_SECOND;

export function readCpuTime(root: number): CpuTime {
  const stats = readStats();
  const tree = new Set([root]);
  for (let before = 0; before !== tree.size; ) {
    before = tree.size;
    for (const { pid, parent } of stats) if (tree.has(parent)) tree.add(pid);
  }
  const members = stats.filter(({ pid }) => tree.has(pid));
  if (!members.some(({ pid }) => pid === root)) throw new Error(`process ${root} is gone`);
  return {
    userSeconds: sum(members.map(({ userTicks }) => userTicks)) * TICK_SECONDS,
    systemSeconds: sum(members.map(({ systemTicks }) => systemTicks)) * TICK_SECONDS,
    pids: members.map(({ pid }) => pid).sort((a, b) => a - b),
  };
}

/** CPU seconds that all of the machine has spent on work so far, ours and anybody else's. */
export function readMachineSeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readFileSync(
    '/proc/stat',
    'utf8',
  )
    .split('\n', 1)
    .flatMap(line => line.trim().split(/ +/).slice(1).map(Number));
  return (user + nice + system + irq + softirq + steal) * TICK_SECONDS;
}

function readStats(): Stat[] {
  const stats: Stat[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = text
        .slice(text.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number); // from field 3, the state
      const [, parent = 0] = fields;
      stats.push({ pid: Number(name), parent, userTicks: fields[11] ?? 0, systemTicks: fields[12] ?? 0 });
    } catch {
      // ended since the folder was read
    }
  }
  return stats;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
