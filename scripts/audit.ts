/**
 * Asks the registry for known vulnerabilities of the shipped dependencies, and fails from severity high on. If there is no reply
 * (offline, a mirror without advisories) it prints one line about that and does not fail.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WAIT_MS = 30_000;
const FAILING = ['critical', 'high'] as const;

interface Verdict {
  readonly failed: boolean;
  readonly message: string;
}

/** `stdout`: the output of `npm audit --json`. */
export function judgeAudit(stdout: string): Verdict {
  const report = parse(stdout);
  const counts = report?.metadata?.vulnerabilities;
  if (counts === undefined)
    return { failed: false, message: `NOT AUDITED: ${report?.message ?? 'npm audit gave no report'}` };
  const found = Object.entries(counts).filter(([severity, count]) => severity !== 'total' && count > 0);
  const listed =
    found.map(([severity, count]) => `${count} ${severity}`).join(', ') || 'no known vulnerability';
  const failed = FAILING.some(severity => (counts[severity] ?? 0) > 0);
  const names = failed ? `: ${Object.keys(report?.vulnerabilities ?? {}).join(', ')}` : '';
  return { failed, message: `dependencies audited: ${listed}${names}` };
}

interface AuditReport {
  readonly message?: string;
  readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> };
  readonly vulnerabilities?: Readonly<Record<string, unknown>>;
}

function parse(text: string): AuditReport | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const command = ['audit', '--omit=dev', '--json', '--fetch-retries=0', `--fetch-timeout=${WAIT_MS / 2}`];
  const { stdout } = spawnSync('npm', command, { encoding: 'utf8', timeout: WAIT_MS });
  const { failed, message } = judgeAudit(stdout ?? '');
  process.stdout.write(`${message}\n`);
  process.exitCode = failed ? 1 : 0;
}
