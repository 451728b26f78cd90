/** TLS of a listener: keys that depend on each other, and settings that are allowed but probably not intended. */
import { CertificateSites } from '../../net/certificate_sites.ts';
import type { CertificateMaterial, ServerTlsSettings } from '../../net/tls.ts';
import type { Config } from '../schema/schema.ts';
import type { Path } from '../text/path.ts';
import type { Relations } from './relations.ts';

type TlsConfig = NonNullable<Config['listeners'][string]['tls']>;
type Warn = (path: Path, message: string) => void;

export function checkTls({ config, report, isLost }: Relations): void {
  for (const [name, { tls }] of Object.entries(config.listeners)) {
    if (tls === undefined) continue;
    const path = ['listeners', name, 'tls'];
    const { clientCertificate, sessionTickets } = tls;
    const mode = clientCertificate?.mode ?? 'none';
    const place = [...path, 'clientCertificate'];
    if (mode !== 'none' && clientCertificate?.caFile === undefined && !isLost([...place, 'caFile']))
      report(
        [...place, 'mode'],
        `${mode} needs caFile: the authorities that may sign the certificates of clients`,
      );
    if (typeof sessionTickets !== 'object') continue;
    if (sessionTickets.keyFile !== undefined && sessionTickets.rotate !== undefined)
      report(
        [...path, 'sessionTickets', 'rotate'],
        'rotate has no effect on a shared key: remove it, and replace keyFile regularly',
      );
  }
}

/** `warn` shows the key at the path. */
export function lintTls(path: Path, config: TlsConfig, settings: ServerTlsSettings, warn: Warn): void {
  lintCertificates([...path, 'certificates'], config, settings, warn);
  const { clientCertificate, ciphers, minVersion } = config;
  if (clientCertificate?.caFile !== undefined && settings.clientCertificate.mode === 'none')
    warn(
      [...path, 'clientCertificate', 'caFile'],
      'caFile has no effect while mode is none: no client is asked for a certificate',
    );
  if (ciphers !== undefined && minVersion === 'TLSv1.3')
    warn([...path, 'ciphers'], 'ciphers has no effect: they are of TLS 1.2, and minVersion is TLSv1.3');
  for (const [at, cipher] of (ciphers ?? []).entries())
    if (!/^ECDHE-.*(?:GCM|CHACHA20|CCM)/i.test(cipher))
      warn(
        [...path, 'ciphers', at],
        `${cipher} is weak: it lacks forward secrecy or authenticated encryption (RFC 9325 section 4.2)`,
      );
}

function lintCertificates(path: Path, config: TlsConfig, settings: ServerTlsSettings, warn: Warn): void {
  if (settings.certificates.some(({ certPem }) => certPem === '')) return; // could not be read, which is an error already
  const { all, conflicts } = new CertificateSites(settings.certificates);
  const fileOf = (at: number): string => config.certificates[at]?.certFile ?? '';
  const reported = new Set<string>();
  for (const { name, by, heldBy } of conflicts) {
    if (reported.has(`${by} ${heldBy}`)) continue;
    reported.add(`${by} ${heldBy}`);
    warn(
      [...path, by, 'certFile'],
      `${fileOf(by)} and ${fileOf(heldBy)} are both for ${name}; clients that ask for it get the first one, ${fileOf(heldBy)}`,
    );
  }
  for (const { certificates, names } of all.slice(1)) {
    const at = settings.certificates.indexOf(certificates[0] as CertificateMaterial);
    if (names.dns.length === 0)
      warn(
        [...path, at, 'certFile'],
        `${fileOf(at)} has no DNS name among its subject alternative names, so no client gets it; put it first or remove it`,
      );
  }
}
