/** Schema of a cluster. */
import * as z from 'zod';
import { HEALTHY_STATUSES } from './defaults.ts';
import {
  choice,
  endpointAddress,
  fieldValue,
  hostHeader,
  listOrOne,
  number,
  plainText,
  requestFieldName,
  requestTarget,
  text,
} from './leaves.ts';
import { orOff } from './off.ts';

const statusRange = z
  .unknown()
  .meta({
    description: 'A status, or a range of statuses, that means healthy. Default 200-399.',
    default: `${HEALTHY_STATUSES.min}-${HEALTHY_STATUSES.max}`,
  })
  .transform((value, context): { readonly min: number; readonly max: number } => {
    const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(typeof value === 'object' ? '' : String(value));
    const range = { min: Number(match?.[1]), max: Number(match?.[2] ?? match?.[1]) };
    if (range.max >= range.min) return range;
    const message = 'expected a status such as 200, or a range such as "200-399"';
    context.issues.push({ code: 'custom', message, input: value });
    return z.NEVER;
  });

/** Bytes of a response body that a probe reads. */
const PROBE_TEXT_BYTES_MAX = 4_096;

const probeMethod = text(value =>
  ['GET', 'HEAD', 'OPTIONS', 'POST'].includes(value) ? null : `"${value}" is not GET, HEAD, OPTIONS or POST`,
);
const grpcService = text(value =>
  /^[\w.\-/]{1,127}$/.test(value)
    ? null
    : `"${value}" is not the name of a gRPC service (at most 127 characters)`,
);

const active = z.strictObject({
  path: requestTarget
    .describe('Path of the probe, optionally with a query. The probe uses the protocol of the cluster.')
    .optional(),
  method: probeMethod.describe('Method of the probe. GET when absent.').optional(),
  host: hostHeader
    .describe(
      '`Host` of the probe. When absent: the address of the endpoint, or `localhost` for a Unix socket.',
    )
    .optional(),
  headers: z.record(requestFieldName, fieldValue).describe('Fields sent with the probe.').optional(),
  body: text(value =>
    value === '' || Buffer.byteLength(value) > PROBE_TEXT_BYTES_MAX
      ? `expected a string of 1 to ${PROBE_TEXT_BYTES_MAX} bytes`
      : null,
  )
    .describe('Text that the first 4 KiB of the response body must contain.')
    .optional(),
  tcp: z.literal(true).meta({ description: 'Only open a TCP connection.' }).optional(),
  webSocket: z.literal(true).meta({ description: 'Make a WebSocket handshake on `path`.' }).optional(),
  grpc: z
    .union([z.literal(true), z.strictObject({ service: grpcService.describe('Name of the gRPC service.') })])
    .meta({
      description: 'Call grpc.health.v1.Health/Check, for the server as a whole or for one service.',
    })
    .optional(),
  interval: number('clusters.health.active.interval'),
  timeout: number('clusters.health.active.timeout'),
  healthyAfter: number('clusters.health.active.healthyAfter'),
  unhealthyAfter: number('clusters.health.active.unhealthyAfter'),
  expect: statusRange.optional(),
});

const passive = z.strictObject({
  consecutiveFailures: number('clusters.health.passive.consecutiveFailures'),
  failureRatio: number('clusters.health.passive.failureRatio'),
  minRequests: number('clusters.health.passive.minRequests'),
  window: number('clusters.health.passive.window'),
  ejectFor: number('clusters.health.passive.ejectFor'),
  maxEjected: number('clusters.health.passive.maxEjected'),
});

const endpoint = z.strictObject({
  address: endpointAddress,
  weight: number('clusters.endpoints.weight'),
  tier: number('clusters.endpoints.tier'),
  resolve: z.strictObject({ refresh: number('clusters.endpoints.resolve.refresh') }).optional(),
});

export const clusterSchema = z.strictObject({
  endpoints: listOrOne(
    z
      .array(z.union([endpointAddress, endpoint]))
      .min(1, 'a cluster needs at least one endpoint')
      .max(10_000, 'a cluster can have at most 10000 endpoints'),
    endpointAddress,
  ).meta({ description: 'The backends: each an address, or a mapping with the keys below.' }),
  protocol: choice('clusters.protocol'),
  required: choice('clusters.required'),
  tls: orOff(
    z
      .strictObject({
        verify: choice('clusters.tls.verify'),
        serverName: text(value =>
          /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(value)
            ? null
            : `"${value}" is not a host name`,
        )
          .describe('Host name for SNI and for the certificate check. The host of the endpoint when absent.')
          .optional(),
        caFile: plainText
          .describe('PEM file with the certificate authorities to trust instead of the system defaults.')
          .optional(),
        certFile: plainText
          .describe('PEM file with the client certificate of the proxy, for backends that require one.')
          .optional(),
        keyFile: plainText.describe('PEM file with the private key of that certificate.').optional(),
      })
      .meta({ description: 'Uses TLS to the backends. Without TLS when absent.' }),
  ),
  loadBalancing: z
    .strictObject({
      policy: choice('clusters.loadBalancing.policy'),
      slowStart: number('clusters.loadBalancing.slowStart'),
      panicBelow: number('clusters.loadBalancing.panicBelow'),
    })
    .optional(),
  pool: z
    .strictObject({
      connections: number('clusters.pool.connections'),
      queue: number('clusters.pool.queue'),
      queueTimeout: number('clusters.pool.queueTimeout'),
      idle: number('clusters.pool.idle'),
      maxRequests: number('clusters.pool.maxRequests'),
      maxAge: number('clusters.pool.maxAge'),
      connectTimeout: number('clusters.pool.connectTimeout'),
    })
    .optional(),
  health: z
    .strictObject({
      active: z
        .union([z.literal('off'), active])
        .meta({ description: 'Active health check: probes every endpoint. Off when absent.' })
        .optional(),
      passive: z
        .union([z.literal('off'), passive])
        .meta({
          description:
            'Passive health check: ejects endpoints whose requests fail. When absent, on for clusters with several endpoints or a host name, otherwise off.',
        })
        .optional(),
    })
    .optional(),
  circuitBreaker: orOff(
    z
      .strictObject({
        failureRatio: number('clusters.circuitBreaker.failureRatio'),
        minRequests: number('clusters.circuitBreaker.minRequests'),
        window: number('clusters.circuitBreaker.window'),
        openFor: number('clusters.circuitBreaker.openFor'),
      })
      .meta({
        description:
          'Stops sending requests to an endpoint, or to the whole cluster, after too many failures. Off when absent.',
      }),
  ),
  retryBudget: z
    .strictObject({
      ratio: number('clusters.retryBudget.ratio'),
      minPerSecond: number('clusters.retryBudget.minPerSecond'),
    })
    .optional(),
});

export type ClusterConfig = z.output<typeof clusterSchema>;
