/**
 * Which certificate of a listener is for which name. Certificates for the same names with keys of different types (RSA and
 * ECDSA) belong together: a client gets the one that it can verify. If other certificates claim the same name, the first one gets it.
 */
import { X509Certificate } from 'node:crypto';
import { type CertificateNames, namesOf, wildcardOf } from './certificate_names.ts';

/** One or more certificates for the same names. */
export interface Site<T> {
  readonly certificates: readonly T[];
  readonly names: CertificateNames;
}

/** Both certificates claim `name`; `by` and `heldBy` are their indexes in the list of certificates. */
interface NameConflict {
  readonly name: string;
  readonly by: number;
  readonly heldBy: number;
}

interface OpenSite<T> extends Site<T> {
  readonly certificates: T[];
  readonly keyTypes: Set<string>;
  readonly first: number;
}

export class CertificateSites<T extends { readonly certPem: string }> {
  readonly #byName = new Map<string, OpenSite<T>>();
  /** Key: all names of the certificate, sorted. */
  readonly #byNames = new Map<string, OpenSite<T>[]>();
  readonly #sites: OpenSite<T>[] = [];
  readonly conflicts: NameConflict[] = [];

  constructor(certificates: readonly T[]) {
    for (const [at, certificate] of certificates.entries()) this.#add(certificate, at);
  }

  /** The site of the first certificate, for clients that name no server or an unknown one. */
  get fallback(): Site<T> {
    const [first] = this.#sites;
    if (first === undefined) throw new Error('the schema wants at least one certificate');
    return first;
  }
  get all(): readonly Site<T>[] {
    return this.#sites;
  }

  /** `name` in any case. An exact name has precedence over a wildcard. */
  find(name: string): Site<T> | null {
    const host = name.toLowerCase();
    return this.#byName.get(host) ?? this.#byName.get(wildcardOf(host)) ?? null;
  }

  #add(certificate: T, at: number): void {
    const parsed = new X509Certificate(certificate.certPem);
    const names = namesOf(parsed);
    const keyType = parsed.publicKey.asymmetricKeyType ?? 'unknown';
    const key = [...names.dns, ...names.addresses].sort().join();
    const alike = this.#byNames.get(key) ?? [];
    const twin = alike.find(({ keyTypes }) => !keyTypes.has(keyType));
    if (twin !== undefined && names.dns.length > 0) {
      twin.certificates.push(certificate);
      twin.keyTypes.add(keyType);
      return;
    }
    const site = { certificates: [certificate], names, keyTypes: new Set([keyType]), first: at };
    this.#sites.push(site);
    this.#byNames.set(key, [...alike, site]);
    for (const name of new Set(names.dns)) {
      const holder = this.#byName.get(name);
      if (holder === undefined) this.#byName.set(name, site);
      else this.conflicts.push({ name, by: at, heldBy: holder.first });
    }
  }
}
