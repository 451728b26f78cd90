/**
 * Patterns of the JSON Schema, by which an editor complains while one types. They refuse what is wrong at a glance; the checks
 * behind them refuse more, and say what to write. Each lets a variable pass: an editor does not know its value.
 */

/** Before another pattern: `${` anywhere. */
const VARIABLE = '\\$\\{';

/** Anchored, with a variable instead. */
export function orVariable(pattern: string): string {
  return `${pattern}|${VARIABLE}`;
}

const HOST = '(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?)';

export const LISTEN_ADDRESS_PATTERN = orVariable(`^${HOST}?:\\d{1,5}$|^unix:.+$|^fd:.+$`);
export const ENDPOINT_ADDRESS_PATTERN = orVariable(`^${HOST}:\\d{1,5}$|^unix:.+$`);
