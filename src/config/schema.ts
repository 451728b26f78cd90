/**
 * The shape of a configuration: strict objects, units resolved, bounds of `defaults.ts` enforced. What is absent
 * stays absent here; `compile.ts` writes the defaults out. Relations between fields are `validation.ts`'s; keys of
 * features that come later are in `later.ts`.
 */
import { z } from 'zod';
import { clusterSchema } from './schema_cluster.ts';
import { address, choice, named, number } from './schema_leaves.ts';
import { listenerSchema } from './schema_listener.ts';
import { routeSchema } from './schema_route.ts';

const processSchema = z.strictObject({
  drain: z
    .strictObject({ delay: number('process.drain.delay'), timeout: number('process.drain.timeout') })
    .optional(),
  reload: z
    .strictObject({
      watch: choice('process.reload.watch'),
      history: number('process.reload.history'),
      probation: z.literal('off').optional(),
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
  access: z
    .union([
      z.literal('off'),
      z.strictObject({
        format: z.literal('json').optional(),
        sample: number('logging.access.sample'),
        redactQuery: z
          .array(z.string())
          .meta({ description: 'Query parameters whose value is not logged.' })
          .optional(),
      }),
    ])
    .optional(),
});

export const configSchema = z.strictObject({
  version: z.literal(1),
  admin: z
    .union([z.literal('off'), z.strictObject({ address: z.union([z.literal('off'), address]).optional() })])
    .meta({ description: 'Where the admin API listens; off when absent.' })
    .optional(),
  process: processSchema.optional(),
  logging: loggingSchema.optional(),
  tracing: z.strictObject({ propagate: choice('tracing.propagate') }).optional(),
  listeners: named(listenerSchema),
  routes: z.array(routeSchema).max(20_000, 'at most 20000 routes'),
  clusters: named(clusterSchema).optional(),
});

export type Config = z.output<typeof configSchema>;

/** JSON Schema (draft 2020-12) of what may be written, for editors. */
export function schemaJson(): unknown {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
  return { title: 'Fairlead configuration', ...schema };
}
