/** Lists of names in a sentence. */
import { nearestHint } from '../config/nearest.ts';

const LISTED_MAX = 10;
const KNOWN_MAX = 20;

/** `a, b and 3 more`: the first ten, or as many as `max` says, of `total`, which are perhaps not all known. */
export function listText(items: readonly string[], max = LISTED_MAX, total = items.length): string {
  const shown = items.slice(0, max);
  const more = total - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** `ap (did you mean "app"?); clusters: app, web`: after a clause that says that the name is unknown. */
export function unknownName(name: string, known: readonly string[], plural: string): string {
  return `${name}${nearestHint(name, known)}; ${plural}: ${listText(known, KNOWN_MAX)}`;
}
