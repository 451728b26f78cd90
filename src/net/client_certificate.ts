/** What backends and the access log get of a client's certificate, as text that is safe in a header field. */
import type { X509Certificate } from 'node:crypto';

export interface ClientCertificate {
  /** RFC 4514: `CN=client,O=Example`, the most specific part first; characters beyond ASCII as `\C3\A4`. */
  readonly subject: string;
  /** As OpenSSL writes them: `DNS:a.example, URI:spiffe://example/a`; null: there are none, or too many to pass on. */
  readonly alternativeNames: string | null;
  /** Of the whole certificate (DER): 64 hexadecimal digits in lower case. */
  readonly sha256: string;
}

/** A backend that allows 8 KiB for all fields must still accept the request. */
const TEXT_CHARACTERS_MAX = 4_096;

export function describeClientCertificate(certificate: X509Certificate): ClientCertificate {
  const { subject, subjectAltName, fingerprint256 } = certificate;
  // One attribute a line, escaped as in RFC 4514: a line break in a value is `\0A`.
  const parts = (subject ?? '').split('\n').reverse();
  const names = subjectAltName === undefined ? null : escaped(subjectAltName);
  return {
    subject: escaped(parts.join(',')).slice(0, TEXT_CHARACTERS_MAX),
    // A name that is cut off could be read as another name.
    alternativeNames: names === null || names.length > TEXT_CHARACTERS_MAX ? null : names,
    sha256: fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/** RFC 4514 section 2.4: each byte of UTF-8 as a backslash and two hexadecimal digits. */
function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, part =>
    [...Buffer.from(part, 'utf8')]
      .map(byte => `\\${byte.toString(16).padStart(2, '0').toUpperCase()}`)
      .join(''),
  );
}
