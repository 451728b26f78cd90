/** What may be written about a route: match, action, and what happens on the way. */
import { METHODS } from 'node:http';
import { z } from 'zod';
import { templateProblem } from '../../routing/pattern.ts';
import { redirectProblem } from '../../routing/rewrite.ts';
import { parseRate, RATE_PATTERN, type Rate } from '../units.ts';
import {
  accessLists,
  choice,
  editableName,
  fieldName,
  fieldValue,
  hostPattern,
  itemName,
  number,
  path,
  plainText,
  regex,
  requestFieldName,
  requiredNumber,
  text,
} from './leaves.ts';

const textMatch = z.union([
  z.string(),
  z.strictObject({ regex }),
  z.strictObject({ present: z.literal(true) }),
  z.strictObject({ absent: z.literal(true) }),
]);

const method = text(value => {
  if (value === 'CONNECT') return 'CONNECT is refused by the proxy and reaches no route';
  if (METHODS.includes(value)) return null;
  return METHODS.includes(value.toUpperCase())
    ? `methods are written in upper case: ${value.toUpperCase()}`
    : `"${value}" is not a method that can be routed`;
});

const match = z.strictObject({
  hosts: z
    .array(hostPattern)
    .min(1, 'every host matches when hosts is absent; remove the empty list')
    .describe('Names without port; *.name for every name below it. All when absent.')
    .optional(),
  path: z
    .strictObject({
      exact: path.describe('This path and no other.').optional(),
      prefix: path.describe('This path and all below it, by whole segments: /api is not /apiv2.').optional(),
      template: path
        .describe('Segments that may be anything: /users/{id}, and ** at the end for the rest.')
        .superRefine((value, context) => {
          const problem = templateProblem(value);
          if (problem !== null) context.addIssue({ code: 'custom', message: problem });
        })
        .optional(),
      regex: regex.optional(),
    })
    .superRefine((value, context) => {
      if (Object.keys(value).length === 1) return;
      context.addIssue({
        code: 'custom',
        message: 'a path is exactly one of exact, prefix, template and regex',
      });
    })
    .optional(),
  methods: z
    .array(method)
    .min(1, 'every method matches when methods is absent; remove the empty list')
    .describe('In upper case. All when absent.')
    .optional(),
  headers: z
    .record(fieldName, textMatch)
    .describe('All of them must match; a text is compared as it is.')
    .optional(),
  query: z.record(plainText, textMatch).describe('As headers, for parameters.').optional(),
});

function edits(name: typeof editableName) {
  return z.strictObject({
    set: z.record(name, fieldValue).describe('Instead of all fields of the name.').optional(),
    add: z.record(name, fieldValue).describe('Beside those that are there.').optional(),
    remove: z.array(name).describe('Before set and add.').optional(),
  });
}
const requestEdits = edits(requestFieldName);
const responseEdits = edits(editableName);

/** A status as a number or, as the contract writes it in lists, as a text. */
const retryReason = z
  .unknown()
  .meta({
    anyOf: [
      { type: 'string', pattern: '^(connect|reset|5\\d\\d)$' },
      { type: 'integer', minimum: 500, maximum: 599 },
    ],
  })
  .transform((value, context): string => {
    const reason = String(value);
    if (/^(?:connect|reset|5\d\d)$/.test(reason) && typeof value !== 'object') return reason;
    const message = /^4\d\d$/.test(reason)
      ? `${reason} speaks of the request, and another endpoint would say the same; statuses from 500 to 599 can be repeated`
      : 'expected connect, reset or a status from 500 to 599';
    context.issues.push({ code: 'custom', message, input: value, params: { options: ['connect', 'reset'] } });
    return z.NEVER;
  });

const rate = z
  .unknown()
  .meta({ type: 'string', pattern: RATE_PATTERN, description: 'Such as 100/s or 5000/m.' })
  .transform((value, context): Rate => {
    const parsed = typeof value === 'string' ? parseRate(value) : 'expected a rate such as 100/s';
    if (typeof parsed !== 'string') return parsed;
    context.issues.push({ code: 'custom', message: parsed, input: value });
    return z.NEVER;
  });

const rateLimit = z.strictObject({
  key: text(value =>
    /^(?:clientIp|route|header:[!#$%&'*+\-.^_`|~0-9A-Za-z]+)$/.test(value)
      ? null
      : `"${value}" is not clientIp, route or header:NAME`,
  ).describe('Who is counted apart: `clientIp` (IPv6 by /64), `route` (all together) or `header:NAME`.'),
  rate,
  burst: number('routes.rateLimits.burst'),
  mode: choice('routes.rateLimits.mode'),
  store: z.literal('local').optional(),
});

const rewrite = z.strictObject({
  stripPrefix: path.describe('Taken off the beginning of the path.').optional(),
  addPrefix: path.describe('Put before the path, after stripPrefix.').optional(),
  replacePath: path.describe('Instead of the path; the query stays.').optional(),
  regex: z
    .strictObject({
      pattern: regex,
      with: z.string().describe('$1 to $9 stand for what the groups matched.'),
    })
    .optional(),
  host: text(value =>
    /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/.test(value) ? null : `"${value}" is not a host`,
  )
    .describe('`Host` for the backend; the one of the client when absent.')
    .optional(),
});

const status = z
  .unknown()
  .meta({ type: 'integer', minimum: 200, maximum: 599, description: '200 to 599.' })
  .transform((value, context): number => {
    if (/^[2-5]\d\d$/.test(String(value)) && typeof value !== 'object') return Number(value);
    context.issues.push({ code: 'custom', message: 'expected a status from 200 to 599', input: value });
    return z.NEVER;
  });

export const routeSchema = z.strictObject({
  name: itemName,
  listeners: z
    .array(z.string())
    .min(1, 'a route is served on all listeners when listeners is absent; remove the empty list')
    .describe('Names of listeners; all when absent.')
    .optional(),
  match: match.optional(),
  forward: z
    .strictObject({
      cluster: z.string().describe('Where to.').optional(),
      split: z
        .array(z.strictObject({ cluster: z.string(), weight: requiredNumber('routes.forward.split.weight') }))
        .min(1, 'a split needs at least one cluster')
        .max(100, 'a split has at most 100 clusters')
        .optional(),
    })
    .optional(),
  redirect: z
    .strictObject({
      status: choice('routes.redirect.status'),
      to: text(redirectProblem).describe('{path}, {query} and {host} stand for those of the request.'),
    })
    .optional(),
  respond: z
    .strictObject({
      status,
      headers: z.record(editableName, fieldValue).describe('Beside the length.').optional(),
      body: z.string().describe('As it is; empty when absent.').optional(),
    })
    .optional(),
  rewrite: rewrite.optional(),
  headers: z
    .strictObject({ request: requestEdits.optional(), response: responseEdits.optional() })
    .optional(),
  timeouts: z
    .strictObject({
      request: number('listeners.timeouts.request'),
      responseHead: number('routes.timeouts.responseHead'),
      responseIdle: number('routes.timeouts.responseIdle'),
      tunnelIdle: number('routes.timeouts.tunnelIdle'),
    })
    .optional(),
  retries: z
    .strictObject({
      attempts: number('routes.retries.attempts'),
      on: z
        .array(retryReason)
        .describe('`connect`, `reset`, or statuses such as "503". connect and reset when absent.')
        .optional(),
      perTry: number('routes.retries.perTry'),
      backoff: z
        .strictObject({
          base: number('routes.retries.backoff.base'),
          max: number('routes.retries.backoff.max'),
        })
        .optional(),
      replayBytes: number('routes.retries.replayBytes'),
    })
    .optional(),
  rateLimits: z.array(rateLimit).max(10, 'a route has at most ten rate limits').optional(),
  access: accessLists.optional(),
  compress: z.literal('off').optional(),
  limits: z.strictObject({ bodyBytes: number('listeners.limits.bodyBytes') }).optional(),
});

export type RouteConfig = z.output<typeof routeSchema>;
export type MatchConfig = z.output<typeof match>;
export type EditsConfig = z.output<typeof responseEdits>;
export type RateLimitConfig = z.output<typeof rateLimit>;
