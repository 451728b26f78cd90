/** Exit codes, after sysexits.h (BSD), so that a service manager can tell a bad file from a taken port. */
export const EXIT = {
  ok: 0,
  /** A forced shutdown, or a request that the admin API refused. */
  no: 1,
  usage: 64,
  noInput: 66,
  portTaken: 69,
  internal: 70,
  /** EX_CANTCREAT: the log file cannot be opened, or a file cannot be created. */
  cannotCreate: 73,
  badConfig: 78,
} as const;

/** What help and the man page say of each. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'success',
  no: 'forced shutdown, request refused, no matching route, a difference found',
  usage: 'usage error',
  noInput: 'configuration file not readable',
  portTaken: 'address already in use',
  internal: 'internal error',
  cannotCreate: 'log file, or the file that init writes, cannot be created',
  badConfig: 'invalid configuration',
};
