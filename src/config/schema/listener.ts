/** What may be written about a listener. */
import { z } from 'zod';
import { CHOICES } from './defaults.ts';
import { accessLists, address, choice, network, number, path, plainText } from './leaves.ts';

const tls = z.strictObject({
  certificates: z
    .array(
      z.strictObject({
        certFile: plainText.describe('PEM file with the certificate followed by its intermediates.'),
        keyFile: plainText.describe('PEM file with the private key, without a passphrase.'),
      }),
    )
    .min(1, 'at least one certificate is required')
    .meta({
      description: 'Certificates of this listener; file names are relative to the configuration file.',
    }),
  minVersion: choice('listeners.tls.minVersion'),
  clientCertificate: z
    .strictObject({
      mode: z
        .literal('none')
        .meta({ description: 'Whether clients are asked for a certificate.' })
        .optional(),
      caFile: z.string().meta({ description: 'Not used yet.' }).optional(),
    })
    .optional(),
});

export const listenerSchema = z.strictObject({
  address,
  tls: tls.meta({ description: 'Serves TLS on this listener. Without TLS when absent.' }).optional(),
  http2: z
    .union([
      choice('listeners.http2').unwrap(),
      z.strictObject({ maxConcurrentStreams: number('listeners.http2.maxConcurrentStreams') }),
    ])
    .meta({ description: `${CHOICES['listeners.http2'].why} On when absent.` })
    .optional(),
  h2c: choice('listeners.h2c'),
  trustedProxies: z
    .array(network)
    .meta({ description: 'Proxies whose Forwarded and X-Forwarded-* fields are trusted.' })
    .optional(),
  limits: z
    .strictObject({
      connections: number('listeners.limits.connections'),
      connectionsPerIp: number('listeners.limits.connectionsPerIp'),
      tunnelsPerIp: number('listeners.limits.tunnelsPerIp'),
      headBytes: number('listeners.limits.headBytes'),
      headerCount: number('listeners.limits.headerCount'),
      uriBytes: number('listeners.limits.uriBytes'),
      bodyBytes: number('listeners.limits.bodyBytes'),
      minUploadRate: number('listeners.limits.minUploadRate'),
      minDownloadRate: number('listeners.limits.minDownloadRate'),
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
    .meta({
      description:
        'Readiness path that the proxy answers itself, for a load balancer in front of this listener.',
    })
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
