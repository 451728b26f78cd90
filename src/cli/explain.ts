/** `fairlead explain URL`: which route a request would take, why more specific ones did not match, and what the backend would receive. */

import { explainOffline } from '../admin/explain.ts';
import type { Question } from '../admin/explain_question.ts';
import { renderExplanation } from '../admin/explain_text.ts';
import { withoutSecretValues } from '../security/secrets.ts';
import { EXIT } from './exit_codes.ts';
import { loadOrExplain } from './load.ts';

export async function runExplain(
  file: string,
  question: Question & { readonly json: boolean },
): Promise<number> {
  const loaded = await loadOrExplain(file);
  if (typeof loaded === 'number') return loaded;
  const explained = withoutSecretValues(
    explainOffline(loaded.plan, loaded.origins, question),
    loaded.secrets,
  );
  if ('error' in explained) {
    process.stderr.write(`fairlead: ${explained.error}\n`);
    return EXIT.usage;
  }
  process.stdout.write(
    question.json ? `${JSON.stringify(explained, null, 2)}\n` : renderExplanation(explained),
  );
  // The health check of a listener has an action and needs no route.
  return explained.action === null ? EXIT.no : EXIT.ok;
}
