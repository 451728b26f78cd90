/** Schema of a route: match, action, and changes on the way. */
import * as z from 'zod';
import { http } from '../../net/node_http.ts';
import { parseRate, RATE_PATTERN, type Rate } from '../units.ts';
import { BASIC_AUTH_REALM } from './defaults.ts';
import { flow, hostPortOf, isName } from './flow_text.ts';
import {
  accessLists,
  choice,
  editableName,
  fieldName,
  fieldValue,
  hostPattern,
  itemName,
  listOrOne,
  number,
  path,
  plainText,
  regex,
  requestFieldName,
  requiredNumber,
  text,
} from './leaves.ts';
import { maintenance } from './maintenance.ts';
import { templatePathProblem } from './match_problem.ts';
import { orOff } from './off.ts';
import { LIMIT_KEY_PATTERN, orVariable, REDIRECT_PATTERN } from './patterns.ts';
import { redirectTargetProblem } from './redirect_problem.ts';

const textMatch = z.union([
  z.string(),
  z.strictObject({ regex }),
  z.strictObject({
    present: z.literal(true).meta({ description: 'Matches any value, but the name must be there.' }),
  }),
  z.strictObject({ absent: z.literal(true).meta({ description: 'Matches requests without the name.' }) }),
]);

const method = text(value => {
  if (value === 'CONNECT') return 'the proxy refuses CONNECT before routing';
  if (http.METHODS.includes(value)) return null;
  return http.METHODS.includes(value.toUpperCase())
    ? `methods are case-sensitive; write ${value.toUpperCase()}`
    : `"${value}" is not a method that can be routed`;
});

const match = z.strictObject({
  hosts: listOrOne(
    z.array(hostPattern).min(1, 'the list is empty; remove it to match every host'),
    hostPattern,
  )
    .describe('Host names without a port; `*.name` matches every name below it. Every host when absent.')
    .optional(),
  path: z
    .strictObject({
      exact: path.describe('Exactly this path.').optional(),
      prefix: path
        .describe('This path and everything below it, by whole segments: `/api` does not match `/apiv2`.')
        .optional(),
      template: path
        .describe('A path with variable segments: `/users/{id}`; `**` at the end matches the rest.')
        .superRefine((value, context) => {
          const problem = templatePathProblem(value);
          if (problem !== null) context.addIssue({ code: 'custom', message: problem });
        })
        .optional(),
      regex: regex.optional(),
    })
    .superRefine((value, context) => {
      if (Object.keys(value).length === 1) return;
      context.addIssue({
        code: 'custom',
        message: 'a path needs exactly one of exact, prefix, template and regex',
      });
    })
    .optional(),
  methods: listOrOne(z.array(method).min(1, 'the list is empty; remove it to match every method'), method)
    .describe('Methods in upper case. Every method when absent.')
    .optional(),
  headers: z
    .record(fieldName, textMatch)
    .describe('Fields that must all match. A string must be equal to the value.')
    .optional(),
  query: z
    .record(plainText, textMatch)
    .describe('Query parameters that must all match, like headers.')
    .optional(),
});

function edits(name: typeof editableName) {
  return z.strictObject({
    set: z.record(name, fieldValue).describe('Replaces all fields of that name.').optional(),
    add: z
      .record(name, fieldValue)
      .describe('Adds a field and keeps the ones that are already there.')
      .optional(),
    remove: listOrOne(z.array(name), name)
      .describe('Removes all fields of these names, before set and add.')
      .optional(),
  });
}
const requestEdits = edits(requestFieldName);
const responseEdits = edits(editableName);

/** A status as a number, or as a string in lists. */
const retryReason = z
  .unknown()
  .meta({
    anyOf: [
      { type: 'string', pattern: orVariable('^(connect|reset|5\\d\\d)$') },
      { type: 'integer', minimum: 500, maximum: 599 },
    ],
  })
  .transform((value, context): string => {
    const reason = String(value);
    if (/^(?:connect|reset|5\d\d)$/.test(reason) && typeof value !== 'object') return reason;
    const message = /^4\d\d$/.test(reason)
      ? `${reason} means that the request is at fault, so a retry would get the same response; use statuses from 500 to 599`
      : 'expected connect, reset or a status from 500 to 599';
    context.issues.push({ code: 'custom', message, input: value, params: { options: ['connect', 'reset'] } });
    return z.NEVER;
  });

const rate = z
  .unknown()
  .meta({
    type: 'string',
    pattern: orVariable(RATE_PATTERN),
    description: 'Rate such as `100/s` or `5000/m`.',
  })
  .transform((value, context): Rate => {
    const parsed = typeof value === 'string' ? parseRate(value) : 'expected a rate such as 100/s';
    if (typeof parsed !== 'string') return parsed;
    context.issues.push({ code: 'custom', message: parsed, input: value });
    return z.NEVER;
  });

const rateLimit = z.strictObject({
  key: text(
    value =>
      /^(?:clientIp|route|header:[!#$%&'*+\-.^_`|~0-9A-Za-z]+)$/.test(value)
        ? null
        : `"${value}" is not clientIp, route or header:NAME${/ip|addr|client/i.test(value) ? '; write clientIp' : ''}`,
    'What the limit counts by: `clientIp` (IPv6 by /64), `route` (all requests together) or `header:NAME`.',
    LIMIT_KEY_PATTERN,
  ),
  rate,
  burst: number('routes.rateLimits.burst'),
  mode: choice('routes.rateLimits.mode'),
  headers: choice('routes.rateLimits.headers'),
  store: z
    .string()
    .meta({
      description:
        'Where requests are counted: `local`, in each process on its own, or the name of a store, for all machines that use it together.',
      default: 'local',
    })
    .optional(),
});

export const basicAuth = z.strictObject({
  file: plainText.describe(
    'htpasswd file with the users: `NAME:HASH` lines with bcrypt (`htpasswd -B`), argon2id or scrypt. A changed file is reloaded.',
  ),
  realm: text(value =>
    /^[\x20-\x7e]{1,128}$/.test(value) ? null : 'expected 1 to 128 printable ASCII characters',
  )
    .meta({
      description: 'Shown by browsers beside the fields for name and password.',
      default: BASIC_AUTH_REALM,
    })
    .optional(),
  forwardAuthorization: choice('routes.basicAuth.forwardAuthorization'),
});

const rewrite = z.strictObject({
  stripPrefix: path.describe('Removed from the beginning of the path.').optional(),
  addPrefix: path.describe('Added before the path, after stripPrefix.').optional(),
  replacePath: path.describe('Replaces the path and keeps the query.').optional(),
  regex: z
    .strictObject({
      pattern: regex,
      with: z.string().describe('Replacement; $1 to $9 stand for what the groups matched.'),
    })
    .optional(),
  host: text(value =>
    /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/.test(value) ? null : `"${value}" is not a host`,
  )
    .describe('`Host` sent to the backend. The Host of the client when absent.')
    .optional(),
});

const status = z
  .unknown()
  .meta({ type: 'integer', minimum: 200, maximum: 599, description: 'Status of the response, 200 to 599.' })
  .transform((value, context): number => {
    if (/^[2-5]\d\d$/.test(String(value)) && typeof value !== 'object') return Number(value);
    context.issues.push({ code: 'custom', message: 'expected a status from 200 to 599', input: value });
    return z.NEVER;
  });

const clusterName = text(value => {
  const address = isName(value) ? null : hostPortOf(value);
  return address === null
    ? null
    : `"${value}" is an address; write forward: NAME, with clusters: { NAME: { endpoints: ${flow([address])} } }`;
});

const forward = z.strictObject({
  cluster: z.string().describe('Name of the cluster that gets the request.').optional(),
  split: z
    .array(
      z.strictObject({
        cluster: z.string().describe('Name of a cluster.'),
        weight: requiredNumber('routes.forward.split.weight'),
      }),
    )
    .min(1, 'a split needs at least one cluster')
    .max(100, 'a split can have at most 100 clusters')
    .describe('Clusters that share the requests by weight, instead of one cluster.')
    .optional(),
});

export const routeSchema = z.strictObject({
  name: itemName,
  listeners: listOrOne(
    z.array(z.string()).min(1, 'the list is empty; remove it to serve the route on every listener'),
    z.string(),
  )
    .describe('Names of the listeners that serve this route. Every listener when absent.')
    .optional(),
  match: match.optional(),
  forward: z
    .union([clusterName.transform((cluster): z.output<typeof forward> => ({ cluster })), forward])
    .meta({
      description:
        'Sends the request to a cluster: its name, which is short for `{ cluster: NAME }`, or a mapping with the keys below. A route has exactly one of forward, redirect and respond.',
    })
    .optional(),
  redirect: z
    .strictObject({
      status: choice('routes.redirect.status'),
      to: text(
        redirectTargetProblem,
        'Target of the redirect; {path}, {query} and {host} stand for those of the request.',
        REDIRECT_PATTERN,
      ),
    })
    .meta({ description: 'Answers with a redirect.' })
    .optional(),
  respond: z
    .strictObject({
      status,
      headers: z
        .record(editableName, fieldValue)
        .describe('Fields of the response; Content-Length is added.')
        .optional(),
      body: z.string().describe('Body of the response, sent as written. Empty when absent.').optional(),
    })
    .meta({ description: 'Answers with a fixed response.' })
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
      on: listOrOne(z.array(retryReason), retryReason)
        .describe(
          'What is retried: `connect`, `reset`, and statuses such as "503". `connect` and `reset` when absent.',
        )
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
  rateLimits: z.array(rateLimit).max(10, 'a route can have at most ten rate limits').optional(),
  access: accessLists.optional(),
  maintenance: maintenance(
    'Answers the requests of this route itself while its backends are under maintenance. When absent, a route that forwards has what `maintenance` at the top level says. Keys that a block leaves out come from there too, except `enabled`.',
  ),
  basicAuth: orOff(
    basicAuth.meta({
      description: 'HTTP Basic authentication (RFC 7617). Everybody may use the route when absent.',
    }),
  ),
  compress: z.literal('off').meta({ description: 'Compression of responses; not supported yet.' }).optional(),
  limits: z
    .strictObject({
      bodyBytes: number('listeners.limits.bodyBytes'),
      minUploadRate: number('listeners.limits.minUploadRate'),
      minDownloadRate: number('listeners.limits.minDownloadRate'),
    })
    .optional(),
});

export type RouteConfig = z.output<typeof routeSchema>;
export type MatchConfig = z.output<typeof match>;
export type EditsConfig = z.output<typeof responseEdits>;
export type RateLimitConfig = z.output<typeof rateLimit>;
