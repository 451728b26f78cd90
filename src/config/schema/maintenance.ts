/** Schema of `maintenance`, at the top level and of a route. */
import * as z from 'zod';
import { choice, fieldValue, network, number, plainText, text } from './leaves.ts';

/** A page is kept in memory once for each plan, and in the buffers of clients that read it slowly. */
export const PAGE_BYTES_MAX = 256 * 1_024;

const block = z.strictObject({
  enabled: choice('routes.maintenance.enabled'),
  status: number('routes.maintenance.status'),
  retryAfter: number('routes.maintenance.retryAfter'),
  body: text(value => (Buffer.byteLength(value) > PAGE_BYTES_MAX ? 'a body can have at most 256 KiB' : null))
    .describe(
      'Body of the response, sent as written. When absent: problem details, HTML or plain text by `Accept`, as for every other failure.',
    )
    .optional(),
  bodyFile: plainText
    .describe('File with the body instead, at most 256 KiB of UTF-8. A changed file is reloaded.')
    .optional(),
  contentType: fieldValue
    .describe(
      '`Content-Type` of that body. When absent: by the ending of bodyFile (.html, .json, .svg, .xml), otherwise plain text.',
    )
    .optional(),
  allow: z
    .array(network)
    .describe('Clients that are served as usual, by their address as for `access`. Nobody when empty.')
    .optional(),
});

/** `on` is an empty block. */
export function maintenance(description: string) {
  return z
    .union([z.enum(['on', 'off']), block])
    .meta({ description })
    .transform((value): z.output<typeof block> | undefined => {
      if (value === 'off') return undefined;
      return value === 'on' ? {} : value;
    })
    .optional();
}

export type MaintenanceConfig = z.output<typeof block>;
