/** An exception that nobody expected, for whoever has to mend it. */
export function describeDefect(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
