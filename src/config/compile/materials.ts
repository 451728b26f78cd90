/**
 * Reads what is outside the text of a configuration, once, so that the plan is complete without it: the files that it
 * names, and the variables of OpenTelemetry. Paths, also those of sockets, are relative to the folder of the configuration.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Address, parseAddress } from '../../net/address.ts';
import { type CertificateMaterial, materialProblem, TICKET_KEY_BYTES } from '../../net/tls.ts';
import { type ResourceAttributes, resourceOf } from '../../observability/otlp_resource.ts';
import { parseHtpasswd, type StoredUser } from '../../security/htpasswd.ts';
import type { Problem } from '../problems.ts';
import { PAGE_BYTES_MAX } from '../schema/maintenance.ts';
import type { Document } from '../text/document.ts';
import type { Path } from '../text/path.ts';
import { readBinaryFile, readTextFile } from '../text/read_file.ts';
import type { Environment } from '../text/variables.ts';
import { type FileStates, stateOfFile } from '../watcher.ts';

const FILE_BYTES_MAX = 1_024 * 1_024;

export class Materials {
  readonly #document: Document;
  readonly #folder: string;
  readonly #env: Environment;
  readonly #files = new Map<string, string>();
  readonly #pages = new Map<string, string>();
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];

  constructor(document: Document, configFile: string, env: Environment) {
    this.#document = document;
    this.#env = env;
    this.#folder = dirname(resolve(configFile));
  }

  /** Absolute paths for the watcher, also of files that are missing now. */
  get files(): FileStates {
    return this.#files;
  }

  /** Completed from the environment. A variable that cannot be used is ignored, with a warning at `path`. */
  resource(written: ResourceAttributes, path: Path): Omit<ReturnType<typeof resourceOf>, 'ignored'> {
    const { ignored, ...resource } = resourceOf(written, this.#env);
    if (ignored !== null)
      this.warnings.push(
        this.#document.problem(
          'warning',
          path,
          `the environment variable OTEL_RESOURCE_ATTRIBUTES is ignored: ${ignored}`,
          { at: 'key' },
        ),
      );
    return resource;
  }

  /** A certificate with its chain, and its key; checked against each other. No certificate after a problem. */
  readPair(certName: string, keyName: string, path: Path): CertificateMaterial {
    const certPem = this.#read(certName, [...path, 'certFile']);
    const keyPem = this.#read(keyName, [...path, 'keyFile']);
    if (certPem === '' || keyPem === '') return { certPem: '', keyPem: '' };
    const isCertificate = this.#checkPair(certPem, keyPem, certName, keyName, path);
    if (keyPem.includes('PRIVATE KEY')) this.#warnOfReaders(keyName, [...path, 'keyFile']);
    return { certPem: isCertificate ? certPem : '', keyPem };
  }

  readAuthorities(name: string, path: Path): string {
    const pem = this.#read(name, path);
    if (pem !== '' && this.#parseCertificate(pem, name, path) !== null)
      this.#reportUnusable(materialProblem({ ca: pem }), name, path);
    return pem;
  }

  /** 48 bytes, in Base64; empty after a problem. */
  readTicketKey(name: string, path: Path): string {
    const file = this.#note(name);
    const bytes = readBinaryFile(file, TICKET_KEY_BYTES);
    if (typeof bytes === 'string') this.#report(path, `cannot read ${file}: ${bytes}`);
    else if (bytes.length !== TICKET_KEY_BYTES)
      this.#report(
        path,
        `${name} must hold exactly ${TICKET_KEY_BYTES} random bytes; write it with: openssl rand -out ${name} ${TICKET_KEY_BYTES}`,
      );
    else {
      this.#warnOfReaders(name, path);
      return bytes.toString('base64');
    }
    return '';
  }

  /** Reads the users of a htpasswd file. Its problems are reported with their line in that file. */
  readUsers(name: string, path: Path): readonly StoredUser[] {
    const text = this.#read(name, path);
    if (text === '') return [];
    const { users, problems } = parseHtpasswd(text);
    for (const { line, message } of problems) this.#report(path, `${name}:${line}: ${message}`);
    if (users.length === 0 && problems.length === 0)
      this.#report(path, `${name} has no user; add one with: htpasswd -B ${name} USER`);
    return users;
  }

  /** The body of a response; the same file is read once for all routes. Empty after a problem. */
  readPage(name: string, path: Path): string {
    const file = resolve(this.#folder, name);
    const text = this.#pages.get(file) ?? this.#read(name, path, PAGE_BYTES_MAX);
    if (text !== '') this.#pages.set(file, text);
    return text;
  }

  /** The absolute path of a file that the process writes, such as the log. */
  path(name: string): string {
    return resolve(this.#folder, name);
  }

  /** The schema has checked that it is an address. */
  address(text: string, path: Path): Address {
    const address = parseAddress(text);
    if (typeof address === 'string') throw new Error(`the schema lets no bad address pass: ${address}`);
    if (address.kind !== 'unix' || address.path.startsWith('\0')) return address;
    const socket = parseAddress(`unix:${resolve(this.#folder, address.path)}`);
    if (typeof socket !== 'string') return socket;
    this.#report(path, `${socket}; this path is relative to ${this.#folder}`);
    return address;
  }

  /** The text of a file; empty after a problem. */
  #read(name: string, path: Path, bytesMax = FILE_BYTES_MAX): string {
    const file = this.#note(name);
    const result = readTextFile(file, bytesMax);
    if (result.kind === 'text' && result.text.trim() !== '') return result.text;
    const why = result.kind === 'text' ? 'it is empty' : result.why;
    this.#report(path, `cannot read ${file}: ${why}`);
    return '';
  }

  /** The absolute path; notes the state of the file before it is first read. */
  #note(name: string): string {
    const file = resolve(this.#folder, name);
    if (!this.#files.has(file)) this.#files.set(file, stateOfFile(file));
    return file;
  }

  /**
   * Only its owner may read a key. A key of root may also be readable by a group, so that a service without privileges can
   * read it (PostgreSQL has the same rule).
   */
  #warnOfReaders(name: string, path: Path): void {
    const stats = statSync(resolve(this.#folder, name), { throwIfNoEntry: false });
    if (stats === undefined) return;
    const { mode, uid } = stats;
    if ((mode & (uid === 0 ? 0o037 : 0o077)) === 0) return;
    const shown = `0${(mode & 0o777).toString(8)}`;
    const message = `${name} is secret, but other users of this machine have access to it (mode ${shown}); run: chmod 600 ${name}`;
    this.warnings.push(this.#document.problem('warning', path, `${this.#document.show(path)}: ${message}`));
  }

  #checkPair(certPem: string, keyPem: string, certName: string, keyName: string, path: Path): boolean {
    const certificate = this.#parseCertificate(certPem, `${certName} (for ${keyName})`, [
      ...path,
      'certFile',
    ]);
    try {
      const key = createPrivateKey(keyPem);
      if (certificate?.checkPrivateKey(key) === false)
        this.#report([...path, 'keyFile'], `${keyName} is not the private key of ${certName}`);
      else if (certificate !== null)
        this.#reportUnusable(materialProblem({ cert: certPem, key: keyPem }), certName, [
          ...path,
          'certFile',
        ]);
    } catch {
      this.#report(
        [...path, 'keyFile'],
        `${keyName} (for ${certName}) has no PEM private key that can be read without a passphrase`,
      );
    }
    return certificate !== null;
  }

  #reportUnusable(why: string | null, name: string, path: Path): void {
    if (why !== null) this.#report(path, `OpenSSL rejects ${name}: ${why}`);
  }

  #parseCertificate(pem: string, name: string, path: Path): X509Certificate | null {
    try {
      return new X509Certificate(pem);
    } catch {
      this.#report(path, `${name} has no PEM certificate`);
      return null;
    }
  }

  #report(path: Path, message: string): void {
    this.problems.push(this.#document.problem('error', path, `${this.#document.show(path)}: ${message}`));
  }
}
