/** What may be written about a listener. */
import { z } from 'zod';
import { accessLists, address, choice, network, number, path, plainText } from './leaves.ts';

const tls = z.strictObject({
  certificates: z
    .array(
      z.strictObject({
        certFile: plainText.describe('The certificate and those between it and the root.'),
        keyFile: plainText.describe('Its key, without passphrase.'),
      }),
    )
    .min(1, 'at least one certificate is needed')
    .meta({ description: 'PEM files, relative to the configuration.' }),
  minVersion: choice('listeners.tls.minVersion'),
  clientCertificate: z
    .strictObject({ mode: z.literal('none').optional(), caFile: z.string().optional() })
    .optional(),
});

export const listenerSchema = z.strictObject({
  address,
  tls: tls.optional(),
  http2: z
    .union([
      choice('listeners.http2').unwrap(),
      z.strictObject({ maxConcurrentStreams: number('listeners.http2.maxConcurrentStreams') }),
    ])
    .optional(),
  h2c: choice('listeners.h2c'),
  trustedProxies: z
    .array(network)
    .meta({ description: 'Peers whose Forwarded and X-Forwarded-* are believed.' })
    .optional(),
  limits: z
    .strictObject({
      connections: number('listeners.limits.connections'),
      connectionsPerIp: number('listeners.limits.connectionsPerIp'),
      headBytes: number('listeners.limits.headBytes'),
      headerCount: number('listeners.limits.headerCount'),
      uriBytes: number('listeners.limits.uriBytes'),
      bodyBytes: number('listeners.limits.bodyBytes'),
      requestsPerConnection: number('listeners.limits.requestsPerConnection'),
    })
    .optional(),
  timeouts: z
    .strictObject({
      head: number('listeners.timeouts.head'),
      bodyIdle: number('listeners.timeouts.bodyIdle'),
      keepAliveIdle: number('listeners.timeouts.keepAliveIdle'),
      request: number('listeners.timeouts.request'),
    })
    .optional(),
  access: accessLists.optional(),
  healthPath: path
    .meta({ description: 'Answered by the proxy itself, for a load balancer on the same port.' })
    .optional(),
  paths: z
    .strictObject({
      dotSegments: choice('listeners.paths.dotSegments'),
      encodedSlash: choice('listeners.paths.encodedSlash'),
      slashes: choice('listeners.paths.slashes'),
      semicolons: choice('listeners.paths.semicolons'),
    })
    .optional(),
});

export type ListenerConfig = z.output<typeof listenerSchema>;
