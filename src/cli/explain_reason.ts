/** `fairlead explain REASON`: what a failure reason means, how to find its cause, and what to change. Asks nobody. */

import { reasonList, reasonNamed, renderReason, unknownReason } from '../admin/reasons.ts';
import { EXIT } from './exit_codes.ts';

/** What is neither a URL nor a path: a reason, or one that is misspelt. */
export function looksLikeReason(word: string): boolean {
  return /^[\w-]+$/.test(word);
}

export function runExplainReason(name: string, json: boolean): number {
  const found = reasonNamed(name.toLowerCase().replaceAll('-', '_'));
  if (found === null) {
    process.stderr.write(
      `fairlead: ${unknownReason(name)}; reasons:\n${reasonList()}\nA URL begins with http:// or https://\n`,
    );
    return EXIT.usage;
  }
  process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : renderReason(found));
  return EXIT.ok;
}
