/** Schema of a listener. */
import * as z from 'zod';
import { CHOICES, TLS12_CIPHERS } from './defaults.ts';
import {
  accessLists,
  address,
  choice,
  cipher,
  forwardingField,
  listed,
  listOrOne,
  network,
  number,
  path,
  plainText,
} from './leaves.ts';
import { orOff } from './off.ts';
import { PRESET_NAMES, PRESETS } from './presets.ts';

const pair = {
  certFile: plainText.describe('PEM file with the certificate followed by its intermediates.'),
  keyFile: plainText.describe('PEM file with the private key, without a passphrase.'),
};

export const listenerTls = z.strictObject({
  certFile: plainText
    .describe(
      'Short for a list of one certificate: PEM file with the certificate followed by its intermediates.',
    )
    .optional(),
  keyFile: plainText.describe('The PEM file with its private key, without a passphrase.').optional(),
  certificates: z
    .array(z.strictObject(pair))
    .min(1, 'at least one certificate is required')
    .max(1_000, 'a listener can have at most 1000 certificates')
    .meta({
      description:
        'Certificates of this listener, chosen by the server name that the client asks for (SNI) and the subject alternative names; `*.example.com` covers one label. The first one is the default. An RSA and an ECDSA certificate for the same names go together. File names are relative to the configuration file; a changed file is read again. Required unless certFile and keyFile are set.',
    })
    .optional(),
  minVersion: choice('listeners.tls.minVersion'),
  ciphers: listOrOne(z.array(cipher).min(1, 'at least one cipher suite is required'), cipher)
    .meta({
      description: `Cipher suites of TLS 1.2 by their OpenSSL names, the preferred one first; those of TLS 1.3 are fixed. When absent: ${TLS12_CIPHERS.join(', ')}.`,
    })
    .optional(),
  clientCertificate: z
    .strictObject({
      mode: choice('listeners.tls.clientCertificate.mode'),
      caFile: plainText
        .describe(
          'PEM file with the certificate authorities that may sign the certificates of clients. Needed unless mode is none.',
        )
        .optional(),
    })
    .optional(),
  sessionTickets: z
    .union([
      z.literal('off'),
      z.strictObject({
        rotate: number('listeners.tls.sessionTickets.rotate'),
        keyFile: plainText
          .describe(
            "File of 48 random bytes (`openssl rand 48`), shared by machines that resume each other's sessions; reloaded when it changes. Replaces rotate. Each process has its own key when absent.",
          )
          .optional(),
      }),
    ])
    .meta({ description: 'Session tickets, with which clients resume TLS sessions. On when absent.' })
    .optional(),
  misdirected: choice('listeners.tls.misdirected'),
});

/** One certificate may be written without a list; from here on there is only the list. */
const tls = listenerTls
  .superRefine(({ certFile, keyFile, certificates }, context) => {
    const report = (key: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [key], message });
    const short = certFile === undefined ? 'keyFile' : 'certFile';
    if (certFile === undefined && keyFile === undefined) {
      if (certificates === undefined) report('certificates', 'it is missing');
    } else if (certificates !== undefined)
      report(short, 'it stands beside certificates, which has the certificates; write it as an item there');
    else if (keyFile === undefined) report('keyFile', 'it is missing');
    else if (certFile === undefined) report('certFile', 'it is missing');
  })
  .transform(({ certFile = '', keyFile = '', certificates = [{ certFile, keyFile }], ...rest }) => ({
    ...rest,
    certificates,
  }));

const PRESET_WORDS = [...PRESET_NAMES, 'off'] as const;

const preset = z.enum(PRESET_WORDS, { error: `expected ${listed(PRESET_WORDS)}` }).meta({
  description: `Values for a cloud load balancer in front, where nothing else is written (docs/load-balancers.md). ${PRESET_NAMES.map(name => `\`${name}\`: ${PRESETS[name].why}`).join(' ')}`,
});

export const proxyProtocol = z
  .strictObject({
    required: z
      .boolean()
      .refine(isRequired => isRequired, {
        error:
          'must be true: a header that may be absent could be written by any client; to do without the PROXY protocol, remove proxyProtocol',
      })
      .meta({
        description: 'Must be true, which is also the default: every connection begins with a header.',
      })
      .optional(),
    from: listOrOne(z.array(network).min(1, 'at least one network is required'), network).meta({
      description:
        'Networks of the load balancers that write the header, or `unix`. Connections from elsewhere are refused.',
    }),
  })
  .meta({
    description:
      'The PROXY protocol, version 1 or 2: the client is who the header says. Not used when absent. See docs/load-balancers.md.',
  });

export const listenerSchema = z.strictObject({
  address,
  preset: preset.transform(name => (name === 'off' ? undefined : name)).optional(),
  tls: orOff(tls.meta({ description: 'Serves TLS on this listener. Without TLS when absent.' })),
  http2: z
    .union([
      choice('listeners.http2').unwrap(),
      z.strictObject({ maxConcurrentStreams: number('listeners.http2.maxConcurrentStreams') }),
    ])
    .meta({ description: `${CHOICES['listeners.http2'].why} On when absent.` })
    .optional(),
  h2c: choice('listeners.h2c'),
  reusePort: choice('listeners.reusePort'),
  trustedProxies: listOrOne(z.array(network), network)
    .meta({ description: 'Proxies whose Forwarded and X-Forwarded-* fields are trusted. Nobody when empty.' })
    .optional(),
  trustedHops: number('listeners.trustedHops'),
  trustedHeaders: listOrOne(z.array(forwardingField), forwardingField)
    .meta({
      description:
        'Forwarding fields that the trusted proxies write, X-Request-Id and X-Request-Deadline-Ms among them; others that they pass on come from the client and are removed. All when absent.',
    })
    .optional(),
  proxyProtocol: orOff(proxyProtocol),
  limits: z
    .strictObject({
      connections: number('listeners.limits.connections'),
      connectionsPerIp: number('listeners.limits.connectionsPerIp'),
      tunnelsPerIp: number('listeners.limits.tunnelsPerIp'),
      floodPenalty: number('listeners.limits.floodPenalty'),
      handshakes: number('listeners.limits.handshakes'),
      headBytes: number('listeners.limits.headBytes'),
      headerCount: number('listeners.limits.headerCount'),
      uriBytes: number('listeners.limits.uriBytes'),
      bodyBytes: number('listeners.limits.bodyBytes'),
      minUploadRate: number('listeners.limits.minUploadRate'),
      minDownloadRate: number('listeners.limits.minDownloadRate'),
      requestsPerConnection: number('listeners.limits.requestsPerConnection'),
      pendingProxyHeaders: number('listeners.limits.pendingProxyHeaders'),
    })
    .optional(),
  timeouts: z
    .strictObject({
      proxyHeader: number('listeners.timeouts.proxyHeader'),
      head: number('listeners.timeouts.head'),
      bodyIdle: number('listeners.timeouts.bodyIdle'),
      keepAliveIdle: number('listeners.timeouts.keepAliveIdle'),
      request: number('listeners.timeouts.request'),
    })
    .optional(),
  access: accessLists.optional(),
  healthPath: orOff(
    path.meta({
      description:
        'Readiness path that the proxy answers itself, for a load balancer in front of this listener.',
    }),
  ),
  paths: z
    .strictObject({
      dotSegments: choice('listeners.paths.dotSegments'),
      encodedSlash: choice('listeners.paths.encodedSlash'),
      slashes: choice('listeners.paths.slashes'),
      semicolons: choice('listeners.paths.semicolons'),
    })
    .optional(),
  headers: z.strictObject({ underscores: choice('listeners.headers.underscores') }).optional(),
});

export type ListenerConfig = z.output<typeof listenerSchema>;
