/** `fairlead plan`: prints the frozen plan, with every default written out and every secret masked. */
import { maskSecrets } from '../config/shown_plan.ts';
import { withoutSecretValues } from '../security/secrets.ts';
import { EXIT } from './exit_codes.ts';
import { loadOrExplain } from './load.ts';

export async function runPlan(file: string, origins: boolean): Promise<number> {
  const loaded = await loadOrExplain(file);
  if (typeof loaded === 'number') return loaded;
  const plan = withoutSecretValues(maskSecrets(loaded.plan), loaded.secrets);
  const shown = origins
    ? { ...plan, origins: Object.fromEntries(loaded.origins.ofLeaves(loaded.plan)) }
    : plan;
  process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
  return EXIT.ok;
}
