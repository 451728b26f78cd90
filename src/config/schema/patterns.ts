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

/** An address or a network of either family, or `unix`. */
export const NETWORK_PATTERN = orVariable(
  '^[0-9.]+(/\\d{1,2})?$|^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(/\\d{1,3})?$|^unix$',
);
/** Without a scheme, a port or a path; a wildcard only for whole labels at the left. */
export const HOST_PATTERN = orVariable(
  '^(\\*\\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$|^\\[[0-9a-fA-F:.]+\\]$',
);
export const PATH_PATTERN = orVariable('^/[^?#\\s]*$');
export const NAME_PATTERN = orVariable('^[A-Za-z0-9_-]{1,64}$');
export const FIELD_NAME_PATTERN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
export const LIMIT_KEY_PATTERN = orVariable("^clientIp$|^route$|^header:[!#$%&'*+.^_`|~0-9A-Za-z-]+$");
export const REDIRECT_PATTERN = orVariable('^https?://[A-Za-z0-9\\[{]|^/($|[^/])|^\\{path\\}');
