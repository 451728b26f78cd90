/**
 * A configuration that is changed in every way an operator changes one, beside traffic that no change concerns: the listeners `main` and
 * `secure`, the routes `lasting` and `steady`. `steady` goes to the cluster `app`, whose settings and endpoints do change; that must
 * not cost a request. One round is one change of each kind, and the configuration is as it was after every second round.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KeyPair, rsa, server } from './certificates.ts';

/** In the order in which a round makes them. */
export const CHANGES = [
  'route added',
  'route edited',
  'route removed',
  'cluster edited',
  'endpoint toggled',
  'certificate swapped',
  'listener toggled',
  'file broken',
] as const;
export type Change = (typeof CHANGES)[number];

export interface Addresses {
  /** Always serves. */
  readonly backend: string;
  /** In the cluster `app` in every other round. */
  readonly guest: string;
  readonly adminPort: number;
}

/** Each must be refused, in turn. */
const BROKEN: readonly ((config: Record<string, unknown>) => string | Record<string, unknown>)[] = [
  () => 'version: 1\nlisteners: {main: [',
  config => ({ ...config, roots: [] }),
  config => ({ ...config, clusters: {} }),
  () => '',
  config => ({ ...config, listeners: { main: { address: 'somewhere' } } }),
  config => ({
    ...config,
    listeners: {
      main: { address: '127.0.0.1:0' },
      secure: { address: '127.0.0.1:0', tls: { certificates: [{ certFile: 'no.crt', keyFile: 'no.key' }] } },
    },
  }),
];

export class ChangingConfig {
  /** The certificate that the listener `secure` shows. */
  certificate: KeyPair = server;
  /** The route that was added last, and whether it is still there. */
  extraRoute: { readonly name: string; readonly isThere: boolean } | null = null;
  /** What the route `edited` answers with. */
  editedText = 'edit 0';
  hasGuest = false;
  hasPassing = false;
  #edits = 0;
  #broken = 0;
  readonly #addresses: Addresses;
  readonly #certFile: string;
  readonly #keyFile: string;

  constructor(folder: string, addresses: Addresses) {
    this.#addresses = addresses;
    this.#certFile = join(folder, 'site.crt');
    this.#keyFile = join(folder, 'site.key');
    this.#writeCertificate();
  }

  /** The text or object for the file. */
  change(kind: Change): string | Record<string, unknown> {
    this.#edits++;
    switch (kind) {
      case 'route added':
        this.extraRoute = { name: `extra-${this.#edits}`, isThere: true };
        break;
      case 'route edited':
        this.editedText = `edit ${this.#edits}`;
        break;
      case 'route removed':
        if (this.extraRoute !== null) this.extraRoute = { ...this.extraRoute, isThere: false };
        break;
      case 'cluster edited':
        break; // by the number of the edit
      case 'endpoint toggled':
        this.hasGuest = !this.hasGuest;
        break;
      case 'certificate swapped':
        this.certificate = this.certificate === server ? rsa : server;
        this.#writeCertificate();
        break;
      case 'listener toggled':
        this.hasPassing = !this.hasPassing;
        break;
      case 'file broken': {
        const breakIt = BROKEN[this.#broken++ % BROKEN.length];
        if (breakIt !== undefined) return breakIt(this.current());
      }
    }
    return this.current();
  }

  current(): Record<string, unknown> {
    const { backend, guest, adminPort } = this.#addresses;
    const tls = { certificates: [{ certFile: this.#certFile, keyFile: this.#keyFile }] };
    const open = { h2c: true, limits: { connectionsPerIp: 'off', requestsPerConnection: 'off' } };
    const extra = this.extraRoute;
    return {
      version: 1,
      admin: { address: `127.0.0.1:${adminPort}` },
      process: {
        drain: { timeout: '20s' },
        reload: { watch: false },
        overload: { eventLoopDelay: 'off' }, // the machine of a test is slow for reasons of its own
      },
      logging: { access: 'off' },
      listeners: {
        main: { address: '127.0.0.1:0', ...open },
        secure: { address: '127.0.0.1:0', ...open, h2c: false, tls },
        ...(this.hasPassing ? { passing: { address: '127.0.0.1:0' } } : {}),
      },
      routes: [
        { name: 'lasting', match: { path: { prefix: '/lasting' } }, forward: { cluster: 'lasting' } },
        respond('edited', this.editedText),
        ...(extra?.isThere === true ? [respond(extra.name, extra.name)] : []),
        { name: 'steady', match: { path: { prefix: '/' } }, forward: { cluster: 'app' } },
      ],
      clusters: {
        lasting: { endpoints: [backend], pool: { idle: '300ms' } },
        app: {
          endpoints: this.hasGuest ? [backend, guest] : [backend],
          pool: { connections: 256, queue: 1_000 + this.#edits, idle: '300ms' },
          loadBalancing: { policy: this.#edits % 16 < 8 ? 'roundRobin' : 'leastRequests' },
        },
      },
    };
  }

  #writeCertificate(): void {
    writeFileSync(this.#certFile, this.certificate.cert);
    writeFileSync(this.#keyFile, this.certificate.key, { mode: 0o600 });
  }
}

function respond(name: string, body: string) {
  return { name, match: { path: { exact: `/${name}` } }, respond: { status: 200, body } };
}
