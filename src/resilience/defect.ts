/** An exception that nobody expected, for whoever has to mend it. */
export function describeDefect(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return 'something was thrown that cannot even be shown';
  }
}
