/**
 * The shape of a configuration: strict objects, units resolved, bounds of `defaults.ts` enforced. Absent values stay
 * absent; `compile/` writes the defaults out. Relations between settings are checked in `check/`, and keys of
 * unsupported features are in `unsupported.ts`.
 */
import * as z from 'zod';
import {
  attributeNameProblem,
  attributeValueProblem,
  RESOURCE_ATTRIBUTES_MAX,
} from '../../observability/otlp_resource.ts';
import { clusterSchema } from './cluster.ts';
import { itemDefaults } from './item_defaults.ts';
import { address, choice, fieldName, fieldValue, listOrOne, named, network, number, text } from './leaves.ts';
import { listenerSchema } from './listener.ts';
import { maintenance } from './maintenance.ts';
import { routeSchema } from './route.ts';
import { storeSchema } from './store.ts';

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
        .meta({
          description: 'Rolls a reload back by itself when too many requests fail after it. Off when absent.',
        })
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
  bufferedBytes: number('process.bufferedBytes'),
});

const loggingSchema = z.strictObject({
  level: choice('logging.level'),
  format: choice('logging.format'),
  time: choice('logging.time'),
  file: text(value => (value.trim() === '' ? 'the path is missing' : null))
    .describe('File that log lines are appended to; SIGUSR1 reopens it. Standard output when absent.')
    .optional(),
  access: z
    .union([
      z.literal('off'),
      z.strictObject({
        format: choice('logging.access.format'),
        sample: number('logging.access.sample'),
        redactQuery: listOrOne(z.array(z.string()), z.string())
          .meta({ description: 'Query parameters whose values are masked in the log.' })
          .optional(),
      }),
    ])
    .meta({ description: 'The access log, one line per request. On when absent.' })
    .optional(),
  explain: z
    .strictObject({
      from: listOrOne(z.array(network), network)
        .describe('Clients whose `X-Fairlead-Explain: 1` is honoured. Nobody when empty.')
        .optional(),
    })
    .optional(),
});

export const configSchema = z.strictObject({
  version: z.literal(1).meta({ description: 'Version of the configuration format.' }),
  admin: z
    .union([
      z.literal('off'),
      z.strictObject({
        address: z
          .union([z.literal('off'), address])
          .meta({
            description:
              'Address that the admin API listens on. Without a token it must be a loopback address or a Unix socket.',
          })
          .optional(),
        token: text(value =>
          /^[\x21-\x7e]{16,}$/.test(value)
            ? null
            : 'a token needs at least 16 printable ASCII characters, without spaces',
        )
          .describe(
            'Token that every path except the probes requires as `Authorization: Bearer`. Take it from the environment.',
          )
          .optional(),
      }),
    ])
    .meta({ description: 'The admin API: address and token. Off when absent.' })
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
            URL.canParse(value) && /^https?:\/\//.test(value)
              ? null
              : `"${value}" is not an http or https URL`,
          ).describe('URL of an OTLP/HTTP collector, without /v1/traces, such as `http://127.0.0.1:4318`.'),
          sample: number('tracing.otlp.sample'),
          timeout: number('tracing.otlp.timeout'),
          headers: z
            .record(fieldName, fieldValue)
            .describe('Fields sent with each batch of spans.')
            .optional(),
          resource: z
            .record(text(attributeNameProblem), text(attributeValueProblem))
            .refine(
              attributes => Object.keys(attributes).length <= RESOURCE_ATTRIBUTES_MAX,
              `a resource can have at most ${RESOURCE_ATTRIBUTES_MAX} attributes`,
            )
            .describe(
              'Attributes of the resource that spans come from, such as `service.name: edge`. They take precedence over `OTEL_SERVICE_NAME`, and that over `OTEL_RESOURCE_ATTRIBUTES`. `service.name` is fairlead when nothing sets it.',
            )
            .optional(),
        })
        .meta({ description: 'Exports spans to an OpenTelemetry collector. Off when absent.' })
        .optional(),
    })
    .optional(),
  defaults: itemDefaults.optional(),
  maintenance: maintenance(
    'Maintenance of every route that forwards and does not say otherwise: redirects and fixed responses need no backend and go on, as do `healthPath` and the admin API.',
  ),
  listeners: named(listenerSchema).meta({ description: 'Ports and sockets that accept clients, by name.' }),
  routes: z.array(routeSchema).max(20_000, 'a configuration can have at most 20000 routes').meta({
    description:
      'What happens to requests. The most specific route that matches wins; their order does not matter.',
  }),
  clusters: named(clusterSchema)
    .meta({ description: 'Groups of backends, by name. A route forwards to a cluster.' })
    .optional(),
  stores: named(storeSchema)
    .meta({
      description:
        'Servers that count rate limits for several machines, by name. A rate limit names its store.',
    })
    .optional(),
});

export type Config = z.output<typeof configSchema>;
