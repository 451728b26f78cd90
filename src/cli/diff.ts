/** `fairlead diff OLD NEW`: what changes in meaning between two configuration files. */
import { describeChange, diffPlans, type PlanChange } from '../config/diff.ts';
import { runAtOnce } from '../resilience/time_slices.ts';
import { withoutSecretValues } from '../security/secrets.ts';
import { EXIT } from './exit_codes.ts';
import { loadOrExplain } from './load.ts';

export async function runDiff(oldFile: string, newFile: string, json: boolean): Promise<number> {
  const before = await loadOrExplain(oldFile);
  if (typeof before === 'number') return before;
  const after = await loadOrExplain(newFile);
  if (typeof after === 'number') return after;
  const found = runAtOnce(diffPlans(before.plan, after.plan));
  const changes = withoutSecretValues(found, [...before.secrets, ...after.secrets]);
  process.stdout.write(json ? `${JSON.stringify({ changes }, null, 2)}\n` : textOf(changes));
  return changes.length === 0 ? EXIT.ok : EXIT.no;
}

function textOf(changes: readonly PlanChange[]): string {
  if (changes.length === 0) return 'no change in meaning\n';
  return `${changes.map(describeChange).join('\n')}\n`;
}
