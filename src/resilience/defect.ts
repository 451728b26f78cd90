/** Describes an unexpected exception for a developer. */
export function describeDefect(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return 'something was thrown that cannot even be shown';
  }
}
