/** The page of a failure reason on the admin address. */

/** For `href`: the name of a reason is plain letters, so nothing has to be escaped. */
export function reasonLink(reason: string): string {
  return `/reasons/${encodeURIComponent(reason)}`;
}
