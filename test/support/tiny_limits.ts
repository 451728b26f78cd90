/**
 * A preset with every count and size of the configuration at the minimum that the table of defaults allows: buffers of a few bytes,
 * one connection, one stream, no queue. A limit that is added to the table is in it by itself.
 */
import { NUMBERS } from '../../src/config/schema/defaults.ts';

type Section = Record<string, unknown>;

/** Not limits, or of a list that a test writes itself; and probation and maintenance, which are off unless they are written. */
const OTHERS =
  /\.(weight|tier)$|^listeners\.http2\.windows\.|^routes\.rateLimits\.|^process\.reload\.probation\.|maintenance\.|^clusters\.health\.active\./;

/** `section` is `process`, `listeners`, `routes` or `clusters`. What is in `raised` is as it says instead; its keys are as in the table. */
export function tiny(section: string, raised: Readonly<Record<string, unknown>> = {}): Section {
  const made: Section = {};
  for (const [id, { unit, min }] of Object.entries(NUMBERS)) {
    if (!id.startsWith(`${section}.`) || OTHERS.test(id)) continue;
    if (unit === 'count') put(made, id, raised[id] ?? min);
    if (unit === 'bytes') put(made, id, raised[id] ?? `${min}B`);
  }
  return made;
}

function put(made: Section, id: string, value: unknown): void {
  const [, ...names] = id.split('.');
  const last = names.pop() ?? '';
  let at = made;
  for (const name of names) {
    at[name] ??= {};
    at = at[name] as Section;
  }
  at[last] = value;
}
