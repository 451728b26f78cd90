/** Exit codes, after sysexits.h (BSD), so that a service manager can tell a bad file from a taken port. */
export const EXIT = {
  ok: 0,
  /** A forced shutdown, or a request that the admin API refused. */
  no: 1,
  usage: 64,
  noInput: 66,
  portTaken: 69,
  internal: 70,
  badConfig: 78,
} as const;
