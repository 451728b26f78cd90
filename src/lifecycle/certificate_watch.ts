/**
 * Watches the expiry of the listeners' certificates: a metric has the time, and from three weeks before, a log line a
 * day and the status page warn. A replaced file is reloaded by itself (`reload.ts`, trigger `certificates`).
 */
import { X509Certificate } from 'node:crypto';
import type { Event } from '../observability/events.ts';
import type { Clock, Timer } from '../resilience/clock.ts';

interface ListenerCertificates {
  readonly name: string;
  readonly tls: { readonly certificates: readonly { readonly certPem: string }[] } | null;
}

export interface CertificateFacts {
  readonly listener: string;
  /** The common name, or the first alternative name. */
  readonly subject: string;
  readonly notAfterAtMs: number; // wall time
}

const DAY_MS = 86_400_000;
/** ACME clients renew 30 days before the end, so something is wrong at three weeks. */
export const WARN_BEFORE_MS = 21 * DAY_MS;

export class CertificateWatch {
  readonly #clock: Clock;
  readonly #emit: (event: Event) => void;
  #certificates: readonly CertificateFacts[] = [];
  #timer: Timer | null = null;

  constructor(clock: Clock, emit: (event: Event) => void) {
    this.#clock = clock;
    this.#emit = emit;
  }

  get certificates(): readonly CertificateFacts[] {
    return this.#certificates;
  }

  /** Sets the certificates of a plan, at the start and after each reload. */
  watch(listeners: readonly ListenerCertificates[]): void {
    this.#certificates = listeners.flatMap(({ name, tls }) =>
      (tls?.certificates ?? []).map(({ certPem }) => factsOf(name, new X509Certificate(certPem))),
    );
    this.#look();
  }

  dispose(): void {
    this.#clock.cancelTimer(this.#timer);
  }

  #look(): void {
    this.#clock.cancelTimer(this.#timer);
    this.#timer = null;
    if (this.#certificates.length === 0) return;
    for (const { listener, subject, notAfterAtMs } of this.#certificates) {
      const leftMs = notAfterAtMs - this.#clock.wallMs();
      if (leftMs >= WARN_BEFORE_MS) continue;
      const notAfter = new Date(notAfterAtMs).toISOString();
      this.#emit({ kind: 'certificate', listener, subject, notAfter, expired: leftMs <= 0 });
    }
    this.#timer = this.#clock.setTimer(lookAgain, DAY_MS, () => this.#look());
  }
}

function factsOf(listener: string, certificate: X509Certificate): CertificateFacts {
  const commonName = /^CN=(.*)$/m.exec(certificate.subject)?.[1];
  const alternative = /(?:DNS|IP Address):([^,]+)/.exec(certificate.subjectAltName ?? '')?.[1];
  return {
    listener,
    subject: commonName ?? alternative ?? certificate.serialNumber,
    notAfterAtMs: Date.parse(certificate.validTo),
  };
}

function lookAgain(look: () => void): void {
  look();
}
