/** The code of an error of the system, of TLS or of a library (`ECONNREFUSED`); its message if it has no code. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}
