/**
 * The shape of a configuration: strict objects, units resolved, bounds of `defaults.ts` enforced. What is absent
 * stays absent here; `compile.ts` writes the defaults out. Relations between fields are `validation.ts`'s; keys of
 * features that come later are in `later.ts`.
 */
import { z } from 'zod';
import { clusterSchema } from './cluster.ts';
import { address, choice, fieldName, fieldValue, named, network, number, text } from './leaves.ts';
import { listenerSchema } from './listener.ts';
import { routeSchema } from './route.ts';

const processSchema = z.strictObject({
  drain: z
    .strictObject({ delay: number('process.drain.delay'), timeout: number('process.drain.timeout') })
    .optional(),
  reload: z
    .strictObject({
      watch: choice('process.reload.watch'),
      history: number('process.reload.history'),
      probation: z
        .union([
          z.literal('off'),
          z.strictObject({
            window: number('process.reload.probation.window'),
            maxFailureRatio: number('process.reload.probation.maxFailureRatio'),
            minRequests: number('process.reload.probation.minRequests'),
          }),
        ])
        .optional(),
    })
    .optional(),
  overload: z
    .strictObject({
      eventLoopDelay: number('process.overload.eventLoopDelay'),
      heapRatio: number('process.overload.heapRatio'),
    })
    .optional(),
  connections: number('process.connections'),
});

const loggingSchema = z.strictObject({
  level: choice('logging.level'),
  file: text(value => (value.trim() === '' ? 'a path is missing' : null))
    .describe('Lines are appended to it, and SIGUSR1 opens it again; without it they go to standard output.')
    .optional(),
  access: z
    .union([
      z.literal('off'),
      z.strictObject({
        format: choice('logging.access.format'),
        sample: number('logging.access.sample'),
        redactQuery: z
          .array(z.string())
          .meta({ description: 'Query parameters whose value is not logged.' })
          .optional(),
      }),
    ])
    .optional(),
  explain: z
    .strictObject({
      from: z.array(network).describe('Whose X-Fairlead-Explain: 1 is obeyed; nobody when empty.').optional(),
    })
    .optional(),
});

export const configSchema = z.strictObject({
  version: z.literal(1),
  admin: z
    .union([
      z.literal('off'),
      z.strictObject({
        address: z
          .union([z.literal('off'), address])
          .meta({
            description: 'Where it listens: on this machine or a Unix socket, unless there is a token.',
          })
          .optional(),
        token: text(value =>
          /^[\x21-\x7e]{16,}$/.test(value)
            ? null
            : 'a token has at least 16 printable characters and no space',
        )
          .describe(
            'Asked for as `Authorization: Bearer` on every path but the probes; best from the environment.',
          )
          .optional(),
      }),
    ])
    .meta({ description: 'Where the admin API listens; off when absent.' })
    .optional(),
  process: processSchema.optional(),
  logging: loggingSchema.optional(),
  tracing: z
    .strictObject({
      propagate: choice('tracing.propagate'),
      start: choice('tracing.start'),
      otlp: z
        .strictObject({
          endpoint: text(value =>
            URL.canParse(value) && /^https?:\/\//.test(value) ? null : `"${value}" is no http or https URL`,
          ).describe('Of a collector that speaks OTLP/HTTP, without /v1/traces: http://127.0.0.1:4318.'),
          sample: number('tracing.otlp.sample'),
          timeout: number('tracing.otlp.timeout'),
          headers: z.record(fieldName, fieldValue).describe('Sent with each batch.').optional(),
        })
        .optional(),
    })
    .optional(),
  listeners: named(listenerSchema),
  routes: z.array(routeSchema).max(20_000, 'at most 20000 routes'),
  clusters: named(clusterSchema).optional(),
});

export type Config = z.output<typeof configSchema>;
